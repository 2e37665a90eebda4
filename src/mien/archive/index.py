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

_SURE = 0.6
"""Cosine from which the most similar track is taken for the same person, and asked with the query."""
_NEIGHBOURS = 20
_EXPANSION = 6


@dataclass(frozen=True, slots=True, eq=False)
class TrackIndex:
    """The features of tracks.

    Attributes:
        features: float32 `(R, D)`, L2-normalized; the rows of a track follow each other, the mean first.
        starts: int64 `(T,)`, rising: the first row of each track.
        videos: int64 `(T,)`: number of the video that each track is of.
        numbers: int64 `(T,)`: number of each track in its video.
        looks: float32 `(T, K)` in [0, 1]: what each track looks like, in the order of `mien.archive.wanted.LOOKS`.
    """

    features: Float32
    starts: NDArray[np.int64]
    videos: NDArray[np.int64]
    numbers: NDArray[np.int64]
    looks: Float32

    def __len__(self) -> int:
        return len(self.starts)

    def similarities(self, query: Float32) -> Float32:
        """Cosine in [-1, 1] of a query `(D,)` with each track: of its mean and its shots that resembles most, `(T,)`.

        Example:
            >>> people = np.eye(3, dtype=np.float32)
            >>> index = index_of([(1, people, [2, 1], np.zeros((2, 3), np.float32))])
            >>> index.similarities(people[1]).tolist()
            [1.0, 0.0]
        """
        if not len(self):
            return np.empty(0, np.float32)
        return np.maximum.reduceat(self.features @ query, self.starts)

    def best(self, query: Float32, top: int) -> tuple[NDArray[np.intp], Float32]:
        """The places of the `top` most similar tracks, best first, and their similarities.

        Where the most similar one is surely the same person the query is asked once more together with that track's
        mean, which has seen the person from more sides, and the similarities are with both (query expansion: Chum et
        al., "Total Recall", ICCV 2007).
        """
        similarity = self.similarities(self.expanded(query))
        order = np.argsort(-similarity, kind="stable")[:top]
        return order, similarity[order]

    def expanded(self, query: Float32) -> Float32:
        """The query `(D,)`, with the mean of the most similar track added where that is surely the same person."""
        similarity = self.similarities(query)
        if not len(similarity) or similarity.max() < _SURE:
            return query
        both = query + self.features[self.starts[int(similarity.argmax())]]
        return np.asarray(both / np.linalg.norm(both), np.float32)

    def best_reranked(self, query: Float32, top: int) -> tuple[NDArray[np.intp], Float32]:
        """As `best`, the shortlist ordered anew: tracks that have the same neighbours as the query come first."""
        places, similarity = self.best(query, max(top, SHORTLIST))
        # Of few people each has few neighbours that are the same person.
        neighbours = min(_NEIGHBOURS, max(3, len(places) // 10))
        distances = reranked_distances(
            self.expanded(query)[None],
            self.features[self.starts[places]],
            neighbours=neighbours,
            expansion=min(_EXPANSION, neighbours // 2 + 1),
        )[0]
        order = np.argsort(distances, kind="stable")[:top]
        return places[order], similarity[order]


def index_of(parts: Sequence[tuple[int, Float32, Sequence[int], Float32]]) -> TrackIndex:
    """The index of videos: of each its number, features `(R, D)`, how many of them each track has, and looks."""
    parts = [part for part in parts if len(part[2])]
    counts = [np.asarray(part[2], np.int64) for part in parts]
    rows = np.concatenate(counts) if counts else np.empty(0, np.int64)
    return TrackIndex(
        features=np.concatenate([part[1] for part in parts]) if parts else np.empty((0, 0), np.float32),
        starts=np.concatenate([[0], rows.cumsum()])[:-1].astype(np.int64) if parts else np.empty(0, np.int64),
        videos=np.repeat([part[0] for part in parts], [len(count) for count in counts]).astype(np.int64),
        numbers=np.concatenate([np.arange(len(count)) for count in counts]) if parts else np.empty(0, np.int64),
        looks=np.concatenate([part[3] for part in parts]) if parts else np.empty((0, 0), np.float32),
    )
