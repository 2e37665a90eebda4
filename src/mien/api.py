"""The one-liners of `import mien`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mien.face.analyzer import FaceAnalyzer
from mien.records import Face

if TYPE_CHECKING:
    from mien.identity.collection import Collection
    from mien.scene.events import Event
    from mien.scene.visits.visitor_book import VisitorBook
    from mien.scene.zones.zone_file import Zones


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether two pictures show the same person.

    Attributes:
        same: the similarity reaches the threshold.
        similarity: cosine in [-1, 1].
        threshold: at the false match rate that was asked for.
        fmr: that rate.
        extrapolated: the calibration data cannot measure that rate.
        faces: how many faces each picture shows; the largest was taken.
        model: name of the embedder.
    """

    same: bool
    similarity: float
    threshold: float
    fmr: float
    extrapolated: bool
    faces: tuple[int, int]
    model: str

    def to_dict(self) -> dict[str, Any]:
        """The contract's JSON object."""
        return {
            "same": self.same,
            "similarity": round(self.similarity, 6),
            "threshold": round(self.threshold, 6),
            "fmr": self.fmr,
            "extrapolated": self.extrapolated,
            "faces": list(self.faces),
            "model": self.model,
        }


def analyze(picture: Any, *, bgr: bool = False) -> list[Face]:
    """The faces of a picture with pose, age, gender, quality and eyes, largest first.

    Args:
        picture: path, bytes, PIL picture, or uint8 array `(H, W, 3)`.
        bgr: an array is in OpenCV's order of channels.

    Example:
        >>> [round(face.quality, 1) for face in analyze("group.jpg")]  # doctest: +SKIP
        [0.9, 0.8]
    """
    return _describer()(picture, bgr=bgr)


def verify(first: Any, second: Any, *, fmr: float = 1e-4, bgr: bool = False) -> Verification:
    """Do two pictures show the same person, at this false match rate?

    Args:
        first, second: path, bytes, PIL picture, or uint8 array `(H, W, 3)`; the largest face of each is taken.
        fmr: share of pairs of different people that are taken for the same, in (0, 1).
        bgr: arrays are in OpenCV's order of channels.

    Raises:
        BadInputError: a picture cannot be read or shows no face.
    """
    from mien.identity.pictures import analyzer, probe
    from mien.identity.search import verify as verify_templates

    model = analyzer(None).embedder.name
    probes = probe(first, None, bgr=bgr), probe(second, None, bgr=bgr)
    similarity, threshold = verify_templates(probes[0].template, probes[1].template, model=model, fmr=fmr)
    return Verification(
        same=similarity >= threshold.value,
        similarity=similarity,
        threshold=threshold.value,
        fmr=fmr,
        extrapolated=threshold.extrapolated,
        faces=(probes[0].faces, probes[1].faces),
        model=model,
    )


def watch(
    source: str | os.PathLike[str],
    *,
    collection: Collection | None = None,
    fpir: float = 0.01,
    people: bool = False,
    zones: Zones | str | os.PathLike[str] | None = None,
    moving_camera: bool = False,
    staff: Collection | None = None,
    age_gender: bool = False,
    visitors: VisitorBook | None = None,
    start: datetime | None = None,
) -> Iterator[Event]:
    """The events of a video, folder of pictures, webcam or RTSP stream, as they happen.

    Args:
        source: as `mien.media.video.open_video` takes it.
        collection: whom to recognize; None only follows faces.
        fpir: false positive identification rate of a search, in (0, 1).
        people: follow bodies, too; `zones`, `staff`, `age_gender` and `visitors` take it for granted.
        zones: lines, zones and rules, or the TOML file that holds them.
        moving_camera: the camera shakes or pans: people are followed relative to the background.
        staff: who is no visitor.
        age_gender: read ages and sexes of visitors from their faces.
        visitors: of a place, known again in later runs; from `mien.scene.visits.visitor_store.VisitorStore`.
        start: when a recording began; events then carry `utc`.

    Raises:
        BadInputError, MissingError, UsageError: at the first event; see `open_video`, `load_zones` and `Watcher`.

    Example:
        >>> for event in watch("hall.mp4", zones="zones.toml"):  # doctest: +SKIP
        ...     if event.event == "crossed":
        ...         print(event.time, event.track_id, event.facts["line"], event.facts["direction"])
    """
    from mien.media.video import open_video
    from mien.scene.watcher import Watcher
    from mien.scene.zones.zone_file import Zones, load_zones

    looked_at = zones if zones is None or isinstance(zones, Zones) else load_zones(zones)
    with open_video(source, start=start) as video:
        watcher = Watcher(
            collection,
            fpir=fpir,
            people=people,
            zones=looked_at,
            moving_camera=moving_camera,
            staff=staff,
            age_gender=age_gender,
            visitors=visitors,
        )
        with closing(watcher.watch(video)) as moments:
            for moment in moments:
                yield from moment.events


@lru_cache(maxsize=1)
def _describer() -> FaceAnalyzer:
    return FaceAnalyzer(("pose", "age_gender", "quality", "eyes"))
