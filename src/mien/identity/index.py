"""Exact search over the vectors of a collection, kept in memory.

A search first compares the probe rounded to 8 bits with a copy of the matrix rounded to 8 bits, a quarter of the
memory that a scan must read, then scores the best rows of that scan exactly. How far a rounded score can lie from the
exact one is bounded (Cauchy-Schwarz on the rounding residuals), so it is known, not hoped, that no other row can be
among the answers; where the bound does not prove it, more rows are taken, and in the end all of them. Many probes at
once share what is read, and then a float32 matrix product is the faster scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from mien.records import Float32

Integers = NDArray[np.int64]

_LEVELS = 127  # codes are -127..127
_HEADROOM = 1.25  # spare range of the codes, so that a slightly larger element does not force to round all rows again
_SHORTLISTS = (32, 512, 4096)  # how many rows to score exactly, before all
_SMALL = 1024  # so few rows are scored exactly at once
_BLOCK = 8192  # rows at a time where a float64 copy is made
_PROBES_FOR_THREADS = 8
_PROBES_FOR_PRODUCT = 16
_PROBES_AT_ONCE = 256
_PRODUCT_ROWS = 16384  # a multiple of a segment
_LEAST_PRODUCT, _MOST_PRODUCT = 1e-30, 1e30  # of lengths: beyond them float32 underflows or overflows
_SEGMENT = 16  # rows of which only the best is looked at first
_FLOAT32_UNIT = 2.0**-24


@dataclass(frozen=True, slots=True)
class Hit:
    """A group that a search found: its closest row's key and exact score (float64 dot product)."""

    key: int
    group: int
    score: float


class FaceIndex:
    """Rows of float32 `(dimension,)`, each with a unique key and a group (its subject); not thread-safe.

    The score of a row is its dot product with the probe in float64, summed in an order that depends on neither the
    other rows nor the number of threads. Equal scores are ordered by key, so that the answers are the same however the
    rows came in.

    Example:
        >>> index = FaceIndex(2)
        >>> index.add(np.eye(2, dtype=np.float32), keys=[7, 8], groups=[1, 2])
        >>> index.search(np.array([[0.6, 0.8]], np.float32), top=1)[0][0].key
        8
    """

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._rows = np.empty((0, dimension), np.float32)
        self._keys = np.empty(0, np.int64)
        self._groups = np.empty(0, np.int64)
        self._size = 0
        self._group_count: int | None = None
        self._forget_codes(range_=0.0)

    def __len__(self) -> int:
        return self._size

    @property
    def keys(self) -> Integers:
        """The keys `(N,)` in no particular order."""
        return self._keys[: self._size].copy()

    @property
    def groups(self) -> Integers:
        """The groups `(N,)`, in the order of `keys`."""
        return self._groups[: self._size].copy()

    def add(self, rows: Float32, keys: Any, groups: Any) -> None:
        """Add rows `(N, D)`, finite, with keys `(N,)` that are not there yet and groups `(N,)`."""
        start, stop = self._size, self._size + len(rows)
        if stop > len(self._rows):
            room = -(-max(stop, 2 * len(self._rows)) // _SEGMENT) * _SEGMENT
            self._rows, self._keys, self._groups = (
                _grown(array, start, room) for array in (self._rows, self._keys, self._groups)
            )
        self._rows[start:stop], self._keys[start:stop], self._groups[start:stop] = rows, keys, groups
        self._size = stop
        self._group_count = None

    def remove(self, keys: Any) -> None:
        """Remove the rows of these keys, all of them there; the last rows take their places, nothing of them stays."""
        for row in np.flatnonzero(np.isin(self._keys[: self._size], np.asarray(keys, np.int64)))[::-1]:
            last = self._size - 1
            if self._codes.ntotal > row:
                self._remove_code(int(row))
            for array in (self._rows, self._keys, self._groups):
                array[row] = array[last]
                array[last] = 0
            self._size = last
        self._group_count = None

    def search(self, probes: Float32, top: int, threshold: float = -np.inf) -> list[list[Hit]]:
        """The `top` closest groups of each probe whose score reaches the threshold, best first, one hit a group.

        Args:
            probes: `(P, D)`, finite.
            top: most hits for one probe, at least 1.
            threshold: smallest score that counts.

        Returns:
            P lists, exactly those of scoring every row.
        """
        probes = np.ascontiguousarray(probes, np.float32)
        found: list[list[Hit]] = [[] for _ in probes]
        waiting = np.arange(len(probes))
        if not self._size or not len(waiting):
            return found
        if self._group_count is None:
            self._group_count = len(np.unique(self._groups[: self._size]))
        top = min(top, self._group_count)  # with as many hits as there are groups a shortlist can be proven complete
        self._refresh_codes()
        for shortlist in _SHORTLISTS:
            if self._size <= _SMALL or shortlist >= self._size:
                break
            bounds, rows = self._shortlisted(probes[waiting], shortlist)
            undecided = []
            for number, bound, candidates in zip(waiting, bounds, rows, strict=True):
                hits = self._best(candidates, self._scores(probes[number], candidates), top, threshold)
                if bound < (hits[-1].score if len(hits) == top else threshold):
                    found[number] = hits
                else:
                    undecided.append(number)
            waiting = np.array(undecided, np.intp)
            if not len(waiting):
                return found
        for number in waiting:
            everyone = np.arange(self._size)
            found[number] = self._best(everyone, self._scores(probes[number]), top, threshold)
        return found

    def best_in_group(self, probe: Float32, group: int) -> Hit | None:
        """The group's closest row to a probe `(D,)`; None where the group has no row."""
        rows = np.flatnonzero(self._groups[: self._size] == group)
        hits = self._best(rows, self._scores(probe, rows), 1, -np.inf)
        return hits[0] if hits else None

    def _scores(self, probe: Float32, rows: NDArray[np.intp] | None = None) -> NDArray[np.float64]:
        """Exact scores of some rows, or of all.

        A row-wise sum instead of a matrix product: a BLAS sums in an order that changes with the number of rows and
        threads. The products are exact, as 24 + 24 bits fit in float64's 53.
        """
        wide = probe.astype(np.float64)
        count = self._size if rows is None else len(rows)
        scores = np.empty(count)
        edges = [*range(0, count, _BLOCK), count]
        for start, stop in pairwise(edges):
            block = self._rows[start:stop] if rows is None else self._rows[rows[start:stop]]
            scores[start:stop] = (block * wide).sum(axis=1)
        return scores

    def _best(self, rows: NDArray[np.intp], scores: NDArray[np.float64], top: int, threshold: float) -> list[Hit]:
        passing = scores >= threshold
        rows, scores = rows[passing], scores[passing]
        hits: dict[int, Hit] = {}
        for place in np.lexsort((self._keys[rows], -scores)):
            group = int(self._groups[rows[place]])
            if group not in hits:
                hits[group] = Hit(int(self._keys[rows[place]]), group, float(scores[place]))
                if len(hits) == top:
                    break
        return list(hits.values())

    def _rounded(self, probes: Float32) -> tuple[Float32, NDArray[np.float64], NDArray[np.float64]]:
        """Probes `(P, D)` as codes, what a unit of their rough scores is worth, and how far those can be off.

        With q = a*c + r for the probe and x = b*d + s for a row (c, d codes; r, s residuals):
        |q.x - a*b*c.d| = |a*c.s + r.x| <= |a*c| |s| + |r| |x|. The scan's own float32 sum, in whatever order, is off by
        at most about D units in the last place of |a*c| |b*d| (Higham, "Accuracy and Stability of Numerical
        Algorithms", 3.1); twice that is taken.
        """
        wide = probes.astype(np.float64)
        scale = np.abs(wide).max(axis=1) / _LEVELS
        codes = np.rint(wide / np.where(scale > 0, scale, 1)[:, None])
        nearby = codes * scale[:, None]
        rounding = 2 * (self.dimension + 2) * _FLOAT32_UNIT * (self._longest + self._residual)
        slack = _lengths(nearby) * (self._residual + rounding) + _lengths(wide - nearby) * self._longest
        return codes.astype(np.float32), scale * self._step, slack

    def _shortlisted(self, probes: Float32, shortlist: int) -> tuple[NDArray[np.float64], Integers]:
        """Rows `(P, shortlist)` with the best rough scores, and what nobody else's exact score exceeds, `(P,)`."""
        if len(probes) >= _PROBES_FOR_PRODUCT:
            largest = _lengths(probes.astype(np.float64)) * self._longest
            if ((largest == 0) | ((largest > _LEAST_PRODUCT) & (largest < _MOST_PRODUCT))).all():
                return self._by_product(probes, shortlist, largest)
        return self._by_codes(probes, shortlist)

    def _by_codes(self, probes: Float32, shortlist: int) -> tuple[NDArray[np.float64], Integers]:
        """As `_shortlisted`, by a scan of the codes."""
        codes, steps, slack = self._rounded(probes)
        rough, rows = self._scan(codes, shortlist)
        return rough[:, -1] * steps + slack, rows

    def _scan(self, codes: Float32, shortlist: int) -> tuple[Float32, Integers]:
        """The rows with the best rough scores, best first: scores and rows, `(P, shortlist)` each."""
        threads = faiss.omp_get_max_threads()
        if len(codes) < _PROBES_FOR_THREADS:
            # faiss shares out probes, not rows: others would only wait, and on a busy machine be waited for
            faiss.omp_set_num_threads(1)
        try:
            return self._codes.search(codes, shortlist)
        finally:
            faiss.omp_set_num_threads(threads)

    def _by_product(
        self, probes: Float32, shortlist: int, largest: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], Integers]:
        """As `_shortlisted`, by a float32 matrix product, whose sums are off as the scan's are (`_rounded`).

        `largest` `(P,)` is what no exact score of a probe exceeds.
        """
        slack = 2 * (self.dimension + 2) * _FLOAT32_UNIT * largest
        whole = np.empty((min(len(probes), _PROBES_AT_ONCE), _PRODUCT_ROWS), np.float32)
        bounds, rows = [], []
        for some in np.split(probes, range(_PROBES_AT_ONCE, len(probes), _PROBES_AT_ONCE)):
            parts = []
            for start in range(0, self._size, _PRODUCT_ROWS):
                block = self._rows[start : start + _PRODUCT_ROWS]
                scores = np.matmul(some, block.T, out=whole[: len(some), : len(block)])
                scores[:, self._size - start :] = -np.inf
                parts.append(_largest(scores, shortlist, start))
            rough, places = (np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True))
            rough, places = _first(rough, places, shortlist)
            bounds.append(rough.min(axis=1))
            rows.append(places)
        return np.concatenate(bounds).astype(np.float64) + slack, np.concatenate(rows)

    def _forget_codes(self, range_: float) -> None:
        self._codes = faiss.IndexScalarQuantizer(
            self.dimension, faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_INNER_PRODUCT
        )
        self._range = range_
        self._step = range_ / _LEVELS
        self._residual = self._longest = 0.0

    def _refresh_codes(self) -> None:
        """Round the rows that came since the last search; all again where one exceeds the range of the codes."""
        fresh = self._rows[self._codes.ntotal : self._size]
        largest = float(max(fresh.max(initial=0.0), -fresh.min(initial=0.0)))
        if largest > self._range:
            self._forget_codes(range_=largest * _HEADROOM)
        while self._codes.ntotal < self._size:
            start = self._codes.ntotal
            wide = self._rows[start : min(start + _BLOCK, self._size)].astype(np.float64)
            codes = np.rint(wide / self._step) if self._step else np.zeros_like(wide)
            self._codes.add(codes.astype(np.float32))
            self._residual = max(self._residual, _lengths(wide - codes * self._step).max())
            self._longest = max(self._longest, _lengths(wide).max())

    def _remove_code(self, row: int) -> None:
        """The last code takes the place of a removed one; a row that was not yet rounded needs that first."""
        if self._codes.ntotal < self._size:
            self._refresh_codes()
        count = self._codes.ntotal
        view = faiss.rev_swig_ptr(self._codes.codes.data(), count * self.dimension).reshape(count, self.dimension)
        view[row] = view[-1]
        view[-1] = 0
        self._codes.codes.resize((count - 1) * self.dimension)
        self._codes.ntotal = count - 1


def _largest(scores: Float32, count: int, start: int) -> tuple[Float32, Integers]:
    """The `count` largest of each row of `(P, N)`, or all, in no order: scores, and columns counted from `start`.

    Every `N / _SEGMENT`-th column is of one segment. The largest lie in the `count` segments with the largest maxima,
    so that only the columns of those are told apart.
    """
    segments = scores.reshape(len(scores), _SEGMENT, -1)
    width = segments.shape[2]
    numbers = np.broadcast_to(np.arange(width), (len(scores), width))
    _, best = _first(segments.max(axis=1), numbers, count)
    columns = (best[:, None, :] + np.arange(0, scores.shape[1], width)[:, None]).reshape(len(scores), -1)
    some, columns = _first(np.take_along_axis(scores, columns, 1), columns, count)
    return some, columns + start


def _first(scores: Float32, places: Integers, count: int) -> tuple[Float32, Integers]:
    """The `count` largest scores of each row, or all, in no order, and what stands at their places."""
    if scores.shape[1] <= count:
        return scores, places
    kept = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    return np.take_along_axis(scores, kept, 1), np.take_along_axis(places, kept, 1)


def _grown(array: NDArray[Any], used: int, room: int) -> NDArray[Any]:
    larger = np.zeros((room, *array.shape[1:]), array.dtype)
    larger[:used] = array[:used]
    return larger


def _lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sqrt(np.square(rows).sum(axis=1))
