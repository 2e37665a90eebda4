"""Contenders timed in turns, so that what else the machine does falls on all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter, sleep
from typing import Any

_PAUSE = 0.1
"""Seconds between two turns: the threads of the last contender's pool spin for a while, on the next one's cores. After
20 ms some still do: on two cores detection then seemed to take 1.6 times as long, ONNX Runtime's 1.8 times."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One piece of work, done by mien and by its peers.

    Attributes:
        name: what was measured, with a detail where there are several.
        work: what one time is for.
        rounds: how often each contender did it.
        milliseconds: median time of each contender; the first is the one that the others are compared with.
        notes: what was left out, and why.
        facts: what else was found out.
    """

    name: str
    work: str
    rounds: int
    milliseconds: dict[str, float]
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """Time of each contender divided by that of the first: above 1, the first is faster."""
        first = next(iter(self.milliseconds.values()))
        return {name: value / first for name, value in self.milliseconds.items()}

    def to_dict(self) -> dict[str, Any]:
        """The comparison as a JSON object."""
        record: dict[str, Any] = {
            "benchmark": self.name,
            "work": self.work,
            "rounds": self.rounds,
            "milliseconds": {name: round(value, 4) for name, value in self.milliseconds.items()},
            "ratios": {name: round(value, 3) for name, value in self.ratios.items()},
        }
        if self.facts:
            record["facts"] = self.facts
        if self.notes:
            record["notes"] = list(self.notes)
        return record


def interleave(contenders: Mapping[str, Callable[[], object]], rounds: int, *, warm: bool = False) -> dict[str, float]:
    """Median milliseconds of each contender over `rounds`, after one that does not count.

    With `warm` a contender runs once uncounted at the start of each turn, as it does in the middle of a stream: after
    a pause the threads of its pool sleep, and the processor's caches hold the work of others.

    Example:
        >>> list(interleave({"mien": lambda: None, "peer": lambda: None}, rounds=3))
        ['mien', 'peer']
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(-1, rounds):
        for name, contender in contenders.items():
            sleep(_PAUSE)
            if warm:
                contender()
            start = perf_counter()
            contender()
            if number >= 0:
                seconds[name].append(perf_counter() - start)
    return {name: median(times) * 1e3 for name, times in seconds.items()}
