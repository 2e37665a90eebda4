"""k-reciprocal re-ranking: neighbours that name each other count for more than distance alone.

Zhong, Zheng, Cao, Li, "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017, with its choice of
20 and 6 neighbours and a weight of 0.3. A picture is encoded as weights on its k-reciprocal neighbours, and two
pictures are as far apart as those weights differ (Jaccard) and as their features are.

The paper's code holds several dense matrices of all pictures by all pictures. Here each picture's few neighbours are
found in blocks and encodings are sparse rows, so that memory grows with the number of pictures and not its square;
neighbours are ordered by float64 distances, so that the results are those of the dense form in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.records import Float32

Indices = NDArray[np.intp]

_BLOCK = 512
_SPARE = 12  # candidates beyond the neighbours asked for, so that rounding cannot hide one
_FLOAT32_UNIT = 2.0**-24
_NOBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A sparse matrix: row i has `values[starts[i]:starts[i + 1]]` at `columns[...]`, columns rising in each row."""

    starts: Indices
    columns: NDArray[np.int32]
    values: Float32


def reranked_distances(
    query: Float32, gallery: Float32, *, neighbours: int = 20, expansion: int = 6, weight: float = 0.3
) -> Float32:
    """Re-ranked distances of queries to gallery pictures, all rows of `reranked_blocks` in one array.

    Example:
        >>> vectors = np.repeat(np.eye(2, dtype=np.float32), 3, axis=0)  # two people, three times each
        >>> reranked_distances(vectors[:1], vectors[1:], neighbours=2, expansion=2).round(1).tolist()
        [[0.0, 0.0, 1.0, 1.0, 1.0]]
    """
    rows = np.empty((len(query), len(gallery)), np.float32)
    start = 0
    for block in reranked_blocks(query, gallery, neighbours=neighbours, expansion=expansion, weight=weight):
        rows[start : start + len(block)] = block
        start += len(block)
    return rows


def reranked_blocks(
    query: Float32, gallery: Float32, *, neighbours: int = 20, expansion: int = 6, weight: float = 0.3
) -> Iterator[Float32]:
    """Re-ranked distances in [0, 1] in blocks of rows, smaller is closer.

    Queries lend each other support as gallery pictures do, so a query's row depends on which others are asked with it.

    Args:
        query: float32 `(Q, D)`, L2-normalized.
        gallery: float32 `(G, D)`, L2-normalized.
        neighbours: how many neighbours name each other (the paper's k1), at least 1.
        expansion: over how many neighbours encodings are averaged (k2), at least 1.
        weight: share in [0, 1] of the plain distance in the result (lambda).

    Yields:
        float32 `(B, G)`, together `(Q, G)`.
    """
    everything = np.concatenate([query, gallery])
    if not len(query) or not len(gallery):
        yield np.empty((len(query), len(gallery)), np.float32)
        return
    nearest, farthest = _neighbours(everything, neighbours + 1)
    encoding = _expanded(_encoded(everything, nearest, farthest, neighbours), nearest[:, :expansion])
    columns = _transposed(encoding, len(query), len(everything))
    for start in range(0, len(query), _BLOCK):
        plain = _squared(query[start : start + _BLOCK], gallery)
        plain /= farthest[start : start + len(plain), None]
        shared = np.zeros_like(plain)
        for row in range(len(plain)):
            shared[row] = _shared_weight(encoding, columns, start + row, len(gallery))
        plain *= weight
        plain += (1 - weight) * (1 - shared / (2 - shared))
        yield plain


def jaccard_blocks(vectors: Float32, *, neighbours: int = 20, expansion: int = 6) -> Iterator[Float32]:
    """Jaccard distances of all to all, by which pictures without names are clustered: `reranked_blocks` without its
    share of the plain distance, and without the difference between queries and gallery.

    Args:
        vectors: float32 `(N, D)`, L2-normalized.
        neighbours, expansion: as `reranked_blocks`.

    Yields:
        float32 `(B, N)` in [0, 1], together `(N, N)`; smaller is closer.
    """
    nearest, farthest = _neighbours(vectors, neighbours + 1)
    encoding = _expanded(_encoded(vectors, nearest, farthest, neighbours), nearest[:, :expansion])
    columns = _transposed(encoding, 0, len(vectors))
    for start in range(0, len(vectors), _BLOCK):
        numbers = range(start, min(start + _BLOCK, len(vectors)))
        shared = np.stack([_shared_weight(encoding, columns, number, len(vectors)) for number in numbers])
        yield (1 - shared / (2 - shared)).astype(np.float32)


def _squared(first: Float32, second: Float32) -> Float32:
    """Squared Euclidean distances float32 `(N, M)` of L2-normalized vectors."""
    squared = first @ second.T
    squared *= -2
    squared += 2
    return np.maximum(squared, 0, out=squared)


def _neighbours(vectors: Float32, count: int) -> tuple[NDArray[np.int32], Float32]:
    """The `count` nearest of all vectors to each, itself included, nearest first, equally near ones by their number.

    Returns:
        int32 `(N, min(count, N))`, and float32 `(N,)`: the squared distance of the farthest vector.
    """
    total = len(vectors)
    count = min(count, total)
    candidates = min(count + _SPARE, total)
    lengths = (vectors.astype(np.float64) ** 2).sum(1)
    # A float32 product of unit vectors is off by at most about D units in the last place (Higham, 3.1).
    slack = 4 * (vectors.shape[1] + 4) * _FLOAT32_UNIT
    nearest = np.empty((total, count), np.int32)
    farthest = np.empty(total, np.float32)
    for start in range(0, total, _BLOCK):
        rows = slice(start, start + _BLOCK)
        rough = _squared(vectors[rows], vectors)
        farthest[rows] = rough.max(1)
        if candidates < total:
            chosen = np.argpartition(rough, candidates - 1, axis=1)[:, :candidates]
        else:
            chosen = np.broadcast_to(np.arange(total), rough.shape)
        chosen = np.sort(chosen, axis=1)  # so that a stable sort orders equally near ones by their number
        wide = vectors[rows].astype(np.float64)
        exact = np.einsum("nd,nkd->nk", wide, vectors[chosen], optimize=False)
        exact = lengths[rows, None] + lengths[chosen] - 2 * exact
        order = np.argsort(exact, axis=1, kind="stable")[:, :count]
        nearest[rows] = np.take_along_axis(chosen, order, axis=1)
        if candidates < total:
            bound = np.take_along_axis(rough, chosen, axis=1).max(1) - slack
            unproven = np.flatnonzero(np.take_along_axis(exact, order[:, -1:], axis=1)[:, 0] >= bound)
            for row in unproven:
                distances = lengths[start + row] + lengths - 2 * (vectors @ wide[row])
                nearest[start + row] = np.argsort(distances, kind="stable")[:count]
    return nearest, np.maximum(farthest, np.finfo(np.float32).tiny)


def _reciprocal(nearest: NDArray[np.int32]) -> NDArray[np.int32]:
    """`nearest` `(N, K)` with `_NOBODY` in the place of those that do not have the row's own number in their row."""
    mutual = np.empty(nearest.shape, np.bool_)
    for start in range(0, len(nearest), _BLOCK):
        own = np.arange(start, min(start + _BLOCK, len(nearest)))
        mutual[own] = (nearest[nearest[own]] == own[:, None, None]).any(2)
    return np.where(mutual, nearest, np.int32(_NOBODY))


def _encoded(vectors: Float32, nearest: NDArray[np.int32], farthest: Float32, neighbours: int) -> _Rows:
    """Weights on the k-reciprocal neighbours of each vector and on those of neighbours that agree with it."""
    mutual = _reciprocal(nearest)
    half = _reciprocal(nearest[:, : round(neighbours / 2) + 1])
    parts: list[tuple[Any, Any, Any]] = []
    for start in range(0, len(vectors), _BLOCK):
        own = mutual[start : start + _BLOCK]
        theirs = half[own]  # a place without a neighbour reads some row, which is struck out below
        present = (theirs != _NOBODY) & (own != _NOBODY)[:, :, None]
        agreed = ((theirs[..., None] == own[:, None, None, :]).any(3) & present).sum(2)
        joins = agreed > 2 / 3 * present.sum(2)
        theirs = np.where(present & joins[:, :, None], theirs, _NOBODY)
        members = np.sort(np.concatenate([own, theirs.reshape(len(own), -1)], axis=1), axis=1)
        new = members != _NOBODY
        new[:, 1:] &= members[:, 1:] != members[:, :-1]
        row, place = new.nonzero()
        column = members[row, place]
        squared = 2 - 2 * np.einsum("nd,nd->n", vectors[start + row], vectors[column])
        value = np.exp(-np.maximum(squared, 0) / farthest[start + row])
        value /= np.bincount(row, value, len(own))[row]
        parts.append((new.sum(1), column, value.astype(np.float32)))
    return _stacked(parts)


def _expanded(encoding: _Rows, nearest: NDArray[np.int32]) -> _Rows:
    """Each row replaced by the mean of the rows of its nearest `(N, K)`."""
    total, averaged = nearest.shape
    if averaged == 1:
        return encoding
    parts: list[tuple[Any, Any, Any]] = []
    sizes = np.diff(encoding.starts)
    for start in range(0, total, _BLOCK):
        rows = nearest[start : start + _BLOCK]
        flat = rows.reshape(-1)
        places = _places(encoding.starts[flat], sizes[flat])
        row = np.repeat(np.repeat(np.arange(len(rows)), averaged), sizes[flat])
        key = row * total + encoding.columns[places]
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        sums = np.add.reduceat(encoding.values[places][order].astype(np.float64), first)
        row, column = np.divmod(key[first], total)
        count = np.bincount(row, minlength=len(rows))
        parts.append((count, column.astype(np.int32), (sums / averaged).astype(np.float32)))
    return _stacked(parts)


def _transposed(encoding: _Rows, skipped: int, total: int) -> _Rows:
    """For each of `total` columns the rows after the first `skipped`, counted from there, that have a weight on it."""
    begin = encoding.starts[skipped]
    columns, values = encoding.columns[begin:], encoding.values[begin:]
    row = np.repeat(np.arange(len(encoding.starts) - 1 - skipped, dtype=np.int32), np.diff(encoding.starts[skipped:]))
    order = np.argsort(columns, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=total))])
    return _Rows(starts, row[order], values[order])


def _shared_weight(encoding: _Rows, columns: _Rows, row: int, gallery: int) -> NDArray[np.float64]:
    """Sum over all vectors of the smaller of two weights: of one row and of each gallery picture, `(G,)`."""
    mine = slice(encoding.starts[row], encoding.starts[row + 1])
    wanted = encoding.columns[mine]
    sizes = columns.starts[wanted + 1] - columns.starts[wanted]
    places = _places(columns.starts[wanted], sizes)
    smaller = np.minimum(np.repeat(encoding.values[mine], sizes), columns.values[places])
    return np.bincount(columns.columns[places], smaller, gallery).astype(np.float64, copy=False)


def _places(starts: Indices, sizes: Indices) -> Indices:
    """The numbers `start, start + 1, ...` of each run, one run after the other."""
    ends = sizes.cumsum()
    return np.arange(ends[-1]) + np.repeat(starts - ends + sizes, sizes)


def _stacked(parts: list[tuple[Any, Any, Any]]) -> _Rows:
    """Blocks of rows, each as (entries a row, columns, values), as one matrix."""
    counts, columns, values = (np.concatenate(part) for part in zip(*parts, strict=True))
    return _Rows(np.concatenate([[0], counts.cumsum()]), columns, values)
