"""Clocks that disagree, told from people who were seen by several of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

FEWEST = 6
"""Sightings in the heap that it takes to compare two clocks by people who are known."""

_ROUNDS = 30
_WIDE = 8.0  # windows over which values must be spread for an even spread to be a question


@dataclass(frozen=True, slots=True, eq=False)
class Clocks:
    """What to add to each clock's time, so that all agree with the first that is comparable.

    Attributes:
        offsets: float64 `(C,)` seconds; NaN for a clock that cannot be compared with the others.
        shared: int64 `(C,)`: sightings that each offset rests on.
    """

    offsets: Float64
    shared: NDArray[np.int64]


def clock_offsets(
    clocks: NDArray[np.intp], times: Float64, people: NDArray[np.int64], count: int, *, window: float
) -> Clocks:
    """Offsets of `count` clocks from `N` sightings of people who were seen by several of them.

    People take about as long one way as the other way: so for two clocks the differences of their times are heaped
    around minus the difference of their offsets, while wrong pairs, and people who came again later, lie anywhere. The
    top of a heap is found with a Gaussian as wide as `window`, wide enough that the two directions make one heap.
    Clocks are joined along the pairs with the highest heaps first (a maximum spanning tree), then each is moved to the
    centre of its differences with all its neighbours, until nothing moves.

    Args:
        clocks: `(N,)`, which clock gave each time, 0 to `count - 1`.
        times: float64 `(N,)` seconds.
        people: int64 `(N,)`; a person counts once for each pair of sightings by different clocks.
        count: how many clocks there are.
        window: seconds in which people usually come from one clock's view to another's.

    Example:
        >>> people = np.repeat(np.arange(20), 2)
        >>> seen = np.arange(20) * 500.0
        >>> times = np.stack([seen, seen + np.tile([1070, 1050], 10)], 1).reshape(-1)
        >>> clock_offsets(np.tile([0, 1], 20), times, people, 2, window=60).offsets.round().tolist()
        [0.0, -1060.0]
    """
    return fitted_clocks(_differences(clocks, times, people), count, window=window, fewest=FEWEST)


def fitted_clocks(differences: Mapping[tuple[int, int], Float64], count: int, *, window: float, fewest: int) -> Clocks:
    """The same from time differences alone.

    Args:
        differences: for pairs of clocks (first < second) float64 `(D,)`: time of the second minus time of the first, of
            sightings that are believed to show one person.
        count: how many clocks there are.
        window: seconds by which true differences usually lie off the clocks' own difference.
        fewest: differences in the heap that it takes to compare two clocks.
    """
    heaps = {pair: _heap(values, window) for pair, values in differences.items() if len(values) >= fewest}
    trusted = {pair: differences[pair] for pair, (_, size) in heaps.items() if size >= fewest}
    offsets = _spanning({pair: heaps[pair] for pair in trusted}, count)
    for _ in range(_ROUNDS):
        before = offsets.copy()
        for clock in np.flatnonzero(~np.isnan(offsets)).tolist():
            ahead = _ahead(clock, offsets, trusted)
            if len(ahead):
                offsets[clock] -= _centre(ahead, 0.0, window)
        offsets -= _first(offsets)
        if np.allclose(before, offsets, atol=1e-3, equal_nan=True):
            break
    shared = [int((np.abs(_ahead(clock, offsets, trusted)) <= 2 * window).sum()) for clock in range(count)]
    return Clocks(offsets, np.array(shared, np.int64))


def _differences(clocks: NDArray[np.intp], times: Float64, people: NDArray[np.int64]) -> dict[tuple[int, int], Float64]:
    """Time differences, second clock minus first, of each pair of clocks (first < second)."""
    found: dict[tuple[int, int], list[float]] = {}
    order = np.lexsort((times, people))
    for rows in np.split(order, np.flatnonzero(np.diff(people[order])) + 1):
        for one, other in combinations(rows.tolist(), 2):
            first, second = sorted((one, other), key=lambda row: int(clocks[row]))
            if clocks[first] != clocks[second]:
                pair = int(clocks[first]), int(clocks[second])
                found.setdefault(pair, []).append(float(times[second] - times[first]))
    return {pair: np.array(values) for pair, values in found.items()}


def _heap(values: Float64, window: float) -> tuple[float, float]:
    """Where the highest heap of values is, and about how many lie in it beyond what an even spread would put there."""
    heights = np.array([_weights(values - value, window).sum() for value in values])
    top = _centre(values, float(values[heights.argmax()]), window)
    height = float(_weights(values - top, window).sum())
    span = float(np.ptp(values))
    accident = len(values) * window * np.sqrt(2 * np.pi) / span if span > _WIDE * window else 0.0
    return top, height - 2 * accident


def _centre(values: Float64, start: float, window: float) -> float:
    """The top of the heap that `start` lies on, by mean shift (Comaniciu and Meer, PAMI 2002)."""
    for _ in range(_ROUNDS):
        weights = _weights(values - start, window)
        moved = float((weights @ values) / max(float(weights.sum()), 1e-300))
        if abs(moved - start) < 1e-3:
            break
        start = moved
    return start


def _weights(values: Float64, window: float) -> Float64:
    return np.exp(-0.5 * (values / window) ** 2)


def _spanning(heaps: dict[tuple[int, int], tuple[float, float]], count: int) -> Float64:
    """Offsets along a maximum spanning tree of the pairs; NaN outside of the largest tree."""
    group, offsets = np.arange(count), np.zeros(count)
    for (first, second), (difference, _) in sorted(heaps.items(), key=lambda entry: (-entry[1][1], entry[0])):
        moved = group == group[second]
        if not moved[first]:
            offsets[moved] += offsets[first] - difference - offsets[second]
            group[moved] = group[first]
    sizes = np.bincount(group, minlength=count)
    offsets[group != sizes.argmax()] = np.nan
    if sizes.max() == 1:
        offsets[:] = np.nan
    return offsets - _first(offsets)


def _ahead(clock: int, offsets: Float64, differences: Mapping[tuple[int, int], Float64]) -> Float64:
    """By how much a clock is ahead of its neighbours, one value a difference."""
    parts: list[Float64] = [np.empty(0)]
    for first, second in differences:
        if clock in (first, second):
            ahead = differences[first, second] + offsets[second] - offsets[first]
            parts.append(ahead if clock == second else -ahead)
    return np.concatenate(parts)


def _first(offsets: Float64) -> float:
    known: Sequence[float] = offsets[~np.isnan(offsets)].tolist()
    return known[0] if known else 0.0
