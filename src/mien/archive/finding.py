"""The moments at which somebody is seen in the archive's videos."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.archive.archive import Archive
from mien.archive.index import TrackIndex
from mien.archive.query import Query
from mien.archive.records import Shot, Track, Video
from mien.archive.wanted import Wanted, fits
from mien.errors import BadInputError
from mien.media.image import decode
from mien.person.embedder import person_embedder_identity
from mien.records import Float32, Image, rect

_log = logging.getLogger("mien.archive")


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One person of one video, from coming to going.

    Attributes:
        video: the video.
        track: what is kept of the person.
        shot: the one of its shots that resembles the query most; the best one in a search by attributes.
        similarity: cosine in [-1, 1] with the query, or in a search by attributes how well they fit, in (0, 1].
    """

    video: Video
    track: Track
    shot: Shot
    similarity: float

    @property
    def thumbnail(self) -> Image:
        """The shot, RGB uint8 `(H, W, 3)`."""
        return decode(self.shot.jpeg, name=f"a thumbnail of {self.video.path}")

    def to_dict(self) -> dict[str, Any]:
        """The moment as a JSON object."""
        return {
            "video": self.video.path,
            "start": round(self.track.began, 3),
            "end": round(self.track.ended, 3),
            "time": round(self.shot.time, 3),
            "rect": rect(self.shot.box),
            "similarity": round(self.similarity, 4),
            "track_id": self.track.track_id,
            "attributes": {
                **{name: round(value, 3) for name, value in self.track.probabilities.items()},
                **{
                    f"{part}_colour": max(shares, key=lambda name: shares[name])
                    for part, shares in (("upper", self.track.upper), ("lower", self.track.lower))
                    if shares
                },
            },
        }


class Finder:
    """Searches some videos of an archive; their features are read once.

    Args:
        archive: the archive; stays open.
        videos: where to search; None searches all that have looks of the present embedder, and warns of others.

    Attributes:
        index: everybody in them.
        videos: which videos these are.

    Raises:
        BadInputError: `archive_empty`, `archive_other_model`, or `archive_damaged`.
    """

    def __init__(self, archive: Archive, videos: Sequence[Video] | None = None) -> None:
        self._archive = archive
        self.videos = _searchable(archive) if videos is None else list(videos)
        self.index: TrackIndex = archive.index([video.number for video in self.videos])

    def by_picture(self, query: Query, *, top: int = 20, rerank: bool = False) -> list[Found]:
        """The people who resemble a person, most similar first, one row a track.

        Args:
            query: the person.
            top: at most so many.
            rerank: order the shortlist by k-reciprocal neighbours (`mien.identity.reranking`).
        """
        if not len(self.index):
            return []
        search = self.index.best_reranked if rerank else self.index.best
        places, similarity = search(query.vector, top)
        return self._found(places.tolist(), similarity.tolist(), query.vector)

    def by_attributes(self, wanted: Sequence[Wanted], *, top: int = 20) -> list[Found]:
        """The people who look like that, those who fit best first, one row a track."""
        if not len(self.index):
            return []
        value = fits(self.index.looks, wanted)
        places = np.argsort(-value, kind="stable")[:top]
        return self._found(places.tolist(), value[places].tolist())

    def _found(self, places: Sequence[int], similarity: Sequence[float], query: Float32 | None = None) -> list[Found]:
        tracks = self._archive.tracks(self.index, places)
        return [
            Found(video, track, _closest(track, query), value)
            for (video, track), value in zip(tracks, similarity, strict=True)
        ]


def _closest(track: Track, query: Float32 | None) -> Shot:
    return track.shots[0 if query is None else int(np.argmax(track.features[1:] @ query))]


def _searchable(archive: Archive) -> list[Video]:
    videos = archive.videos()
    if not videos:
        raise BadInputError(
            "the archive is empty: name videos to index and search, `mien find PICTURE --in VIDEO...`",
            code="archive_empty",
        )
    name, fingerprint = person_embedder_identity(None)
    of_now = [video for video in videos if video.fingerprint == fingerprint]
    others = [video for video in videos if video.fingerprint != fingerprint]
    if not of_now:
        raise BadInputError(
            f"all {len(videos)} videos of the archive were indexed with another embedder ({videos[0].model}) than "
            f"{name}, and cannot be compared with it: name them with --in to index them again",
            code="archive_other_model",
        )
    for video in others:
        _log.warning(
            "%s was indexed with another embedder (%s) and is left out; name it with --in", video.path, video.model
        )
    return of_now
