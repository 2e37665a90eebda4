"""`mien evaluate clips`: the watcher over a composed clip, everybody enrolled through the gallery as a user would."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.evaluation.clips.figures import Sighting
from mien.evaluation.clips.runner import evaluate_clips
from mien.identity.gallery import Gallery
from mien.identity.pictures import enroll_pictures
from mien.records import Frame
from mien.scene.watcher import Watcher


@dataclass(frozen=True, slots=True)
class _Clip:
    """Frames that are made while they are watched."""

    frames: Iterator[Frame]
    frame_rate: float = 25.0
    live: bool = False
    dropped: int = 0

    def __iter__(self) -> Iterator[Frame]:
        return self.frames


def evaluate(
    images: Path,
    *,
    most: int | None = None,
    fpir: float = 0.01,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Compose a clip of the people in a folder, watch it, and measure; see `evaluate_clips`."""

    def watch(frames: Iterator[Frame], people: Mapping[str, Path]) -> Iterator[Sighting]:
        with tempfile.TemporaryDirectory(prefix="mien-") as folder, Gallery.open(Path(folder) / "clips.db") as gallery:
            enroll_pictures(gallery["clips"], {name: [path] for name, path in people.items()}, largest=True)
            yield from _sightings(Watcher(gallery["clips"], fpir=fpir), _Clip(frames))

    figures = evaluate_clips(images, watch, most=most, seed=seed, progress=lambda frame: progress(frame, frame))
    return figures.to_dict()


def _sightings(watcher: Watcher, clip: _Clip) -> Iterator[Sighting]:
    for moment in watcher.watch(clip):
        for face, label in zip(moment.faces, moment.labels, strict=True):
            track_id = face.track_id or 0
            yield Sighting(
                frame=moment.frame.index,
                track_id=track_id,
                box=face.box,
                subject=label.subject if label.state == "recognized" else None,
                extractions=watcher.extractions(track_id),
            )
