"""Everybody of some videos in one matrix: a query is compared with all of them exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.identity.reranking import reranked_distances
from mien.records import Float32

SHORTLIST = 200
"""How many of the most similar tracks are re-ranked."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackIndex:
    """The features of tracks.

    Attributes:
        features: float32 `(R, D)`, L2-normalized; the rows of a track follow each other, the mean first.
        starts: int64 `(T,)`, rising: the first row of each track.
        videos: int64 `(T,)`: number of the video that each track is of.
        numbers: int64 `(T,)`: number of each track in its video.
    """

    features: Float32
    starts: NDArray[np.int64]
    videos: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def similarities(self, query: Float32) -> Float32:
        """Cosine in [-1, 1] of a query `(D,)` with each track: of its mean and its shots that resembles most, `(T,)`.

        Example:
            >>> people = np.eye(3, dtype=np.float32)
            >>> index = index_of([(1, people, [2, 1])])
            >>> index.similarities(people[1]).tolist()
            [1.0, 0.0]
        """
        if not len(self):
            return np.empty(0, np.float32)
        return np.maximum.reduceat(self.features @ query, self.starts)

    def best(self, query: Float32, top: int) -> tuple[NDArray[np.intp], Float32]:
        """The places of the `top` most similar tracks, best first, and their similarities."""
        similarity = self.similarities(query)
        order = np.argsort(-similarity, kind="stable")[:top]
        return order, similarity[order]

    def best_reranked(self, query: Float32, top: int) -> tuple[NDArray[np.intp], Float32]:
        """As `best`, the shortlist ordered anew: tracks that have the same neighbours as the query come first."""
        places, similarity = self.best(query, max(top, SHORTLIST))
        distances = reranked_distances(query[None], self.features[self.starts[places]])[0]
        order = np.argsort(distances, kind="stable")[:top]
        return places[order], similarity[order]


def index_of(parts: Sequence[tuple[int, Float32, Sequence[int]]]) -> TrackIndex:
    """The index of videos, each given as its number, features `(R, D)` and how many of them each track has."""
    parts = [part for part in parts if len(part[2])]
    counts = [np.asarray(part[2], np.int64) for part in parts]
    rows = np.concatenate(counts) if counts else np.empty(0, np.int64)
    return TrackIndex(
        features=np.concatenate([part[1] for part in parts]) if parts else np.empty((0, 0), np.float32),
        starts=np.concatenate([[0], rows.cumsum()])[:-1].astype(np.int64) if parts else np.empty(0, np.int64),
        videos=np.repeat([part[0] for part in parts], [len(count) for count in counts]).astype(np.int64),
        numbers=np.concatenate([np.arange(len(count)) for count in counts]) if parts else np.empty(0, np.int64),
    )
