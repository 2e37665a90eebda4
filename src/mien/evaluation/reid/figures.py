"""Person re-identification by the rules of Market-1501: CMC, mAP and mINP.

A query is compared with every gallery picture but junk (identity -1) and pictures of the same person in the same
camera. Distractors (identity 0) are people like others, whom nobody asks for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.reid.names import JUNK, Sightings
from mien.records import Float32

RANKS = (1, 5, 10)
QUERIES_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Rankings:
    """How high the matches of each query stand, `Q` queries.

    Attributes:
        first: int64 `(Q,)`, 1-based rank of the best match; 0 where the gallery holds none.
        average_precision: float64 `(Q,)` in [0, 1], NaN where the gallery holds no match.
        inverse_negative_penalty: float64 `(Q,)`: matches over the rank of the last one, NaN where there is none.
    """

    first: NDArray[np.int64]
    average_precision: NDArray[np.float64]
    inverse_negative_penalty: NDArray[np.float64]


def rankings(distances: Iterable[Float32], query: Sightings, gallery: Sightings) -> Rankings:
    """Ranks the matches of each query.

    Only the ranks of matches are needed, so a query's row is sorted as plain numbers and its matches looked up in it.
    Where a match is exactly as far as somebody else it stands behind them: an embedder that says the same of everybody
    earns nothing.

    Args:
        distances: blocks of rows float32 `(B, G)`, together `(Q, G)`, in the order of the queries; smaller is closer.
        query, gallery: who and where, `Q` and `G` pictures.

    Example:
        >>> def seen(people, cameras):
        ...     people, cameras = np.array(people), np.array(cameras)
        ...     return Sightings(people, cameras, cameras, cameras)
        >>> row = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)
        >>> found = rankings([row], seen([7], [1]), seen([7, 8, 7, 7], [1, 1, 2, 2]))
        >>> found.first.tolist(), found.average_precision.round(3).tolist()
        ([2], [0.583])
    """
    counted = np.flatnonzero(gallery.people != JUNK)
    pictures = gallery.pick(counted)
    everyone = len(counted) == len(gallery)
    order = np.argsort(pictures.people, kind="stable")
    starts = np.searchsorted(pictures.people[order], query.people, side="left")
    stops = np.searchsorted(pictures.people[order], query.people, side="right")
    first = np.zeros(len(query), np.int64)
    precision, penalty = np.full(len(query), np.nan), np.full(len(query), np.nan)
    number = 0
    for block in distances:
        for row in block if everyone else block[:, counted]:
            same = order[starts[number] : stops[number]]
            matches = np.sort(row[same[pictures.cameras[same] != query.cameras[number]]])
            if len(matches):
                others = row.copy()
                others[same] = np.inf
                others.sort()
                found = np.arange(1, len(matches) + 1)
                ranks = np.searchsorted(others, matches, side="right") + found
                first[number] = ranks[0]
                precision[number] = (found / ranks).mean()
                penalty[number] = len(matches) / ranks[-1]
            number += 1
    return Rankings(first, precision, penalty)


def reid_figures(found: Rankings) -> dict[str, Any]:
    """The contract's row.

    Average precision is the mean of the precision at each match, as most published figures have it; the benchmark's own
    MATLAB code takes the mean with the precision just before each match, which gives about .005 less. mINP: Ye et al.,
    "Deep Learning for Person Re-identification: A Survey and Outlook", PAMI 2021.

    Returns:
        `{"rank1", "rank5", "rank10", "map", "minp", "queries"}`; rates in [0, 1], None where no query can be measured.
        Queries without a match in the gallery are left out and not counted, as the benchmark's rules have it.
    """
    counted = found.first > 0
    queries = int(counted.sum())
    if not queries:
        return {**{f"rank{rank}": None for rank in RANKS}, "map": None, "minp": None, "queries": 0}
    first = found.first[counted]
    return {
        **{f"rank{rank}": round(float((first <= rank).mean()), 6) for rank in RANKS},
        "map": round(float(found.average_precision[counted].mean()), 6),
        "minp": round(float(found.inverse_negative_penalty[counted].mean()), 6),
        "queries": queries,
    }


def cosine_distances(query: Float32, gallery: Float32) -> Iterable[Float32]:
    """1 - cosine of L2-normalized vectors `(Q, D)` and `(G, D)`, in blocks of rows `(B, G)`."""
    for start in range(0, len(query), QUERIES_AT_ONCE):
        yield 1 - query[start : start + QUERIES_AT_ONCE] @ gallery.T


def pooled_queries(vectors: Float32, query: Sightings, gallery_vectors: Float32, gallery: Sightings) -> Float32:
    """Multiple query: each query's feature is the mean over all pictures of its person in its camera, in both sets.

    Pictures of the gallery that show the query's person in its own camera never count for it, so nothing is given
    away. (The benchmark takes hand-drawn boxes of the same people and cameras, which few copies of it have.)

    Args:
        vectors, query: features float32 `(Q, D)` and sightings of the queries.
        gallery_vectors, gallery: those of the gallery, `(G, D)`.

    Returns:
        float32 `(Q, D)`, L2-normalized.
    """
    people, cameras = (np.concatenate([getattr(query, name), getattr(gallery, name)]) for name in ("people", "cameras"))
    _, group = np.unique(np.stack([people, cameras]), axis=1, return_inverse=True)
    group = group.reshape(-1)
    sums = np.zeros((int(group.max()) + 1, vectors.shape[1]))
    wanted = np.isin(group, group[: len(query)])
    everything = np.concatenate([vectors, gallery_vectors])
    np.add.at(sums, group[wanted], everything[wanted])
    pooled = sums[group[: len(query)]]
    return (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32)
