"""The whole of `mien watch` beside detection and embedding of every face on every frame with ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluation.looping import LoopedClip
from mien.evaluation.speed import Comparison, interleave
from mien.evaluation.speed_peers import WITHOUT_ONNX_RUNTIME, OnnxDetector, OnnxEmbedder, has_onnx_runtime
from mien.evaluation.steady_faces import numbers_of, steady_faces
from mien.face.detector import FaceDetector
from mien.face.embedder import embedder_identity
from mien.identity.gallery import Collection, Gallery
from mien.identity.store import Store
from mien.media.video import open_video
from mien.records import Float32, Frame, Template
from mien.scene.watcher import LONG_SIDE, Stream, Watcher

ENROLLED = 1000
"""Faces in the collection that is searched: random ones, so that nobody is recognized."""

_PEER = "ONNX Runtime on every frame"


def watch(clip: Path, frames: int | None = None, rounds: int = 3) -> Comparison:
    """A whole stream, networks loaded before.

    Args:
        clip: the video; decoding it is part of the work where `frames` is None.
        frames: play it from memory, forward and back, until so many frames have come.
        rounds: how often.
    """
    looped = None if frames is None else loop(clip, frames)
    with strangers() as collection:
        runs = [_Run(Watcher(collection)) for _ in range(rounds)]
        waiting = iter(runs)
        contenders: dict[str, Callable[[], object]] = {"mien": lambda: _play(clip, looped, next(waiting))}
        notes: tuple[str, ...] = ()
        if has_onnx_runtime():
            contenders[_PEER] = partial(_play, clip, looped, EveryFrame())
        else:
            notes = (WITHOUT_ONNX_RUNTIME,)
        whole = interleave(contenders, rounds, warm_up=False)
    count = len(runs[0].tracked)
    each = {name: value / count for name, value in whole.items()}
    facts: dict[str, Any] = {
        "frames_per_second": {name: round(1e3 / value, 1) for name, value in each.items()},
        "tracks": runs[0].watcher.summary.tracks,
        "extractions": runs[0].watcher.summary.extractions,
    }
    if looped is not None:
        facts |= _steadiness(looped, runs[0].tracked)
    return Comparison("watch", f"one of {count} frames", rounds, each, notes, facts)


class EveryFrame:
    """What `watch` saves: every face of every frame is embedded, one frame after the other."""

    def __init__(self) -> None:
        self._detector, self._embedder = OnnxDetector(LONG_SIDE), OnnxEmbedder()

    def __call__(self, stream: Iterable[Frame]) -> None:
        """Play a stream."""
        for frame in stream:
            rows = self._detector(frame.image)
            if len(rows):
                self._embedder([self._embedder.crop(frame.image, row[4:14].reshape(5, 2)) for row in rows])


def loop(clip: Path, frames: int) -> LoopedClip:
    """A short clip in memory, played forward and back until at least `frames` have come."""
    with open_video(clip) as video:
        return LoopedClip([frame.image for frame in video], frame_rate=video.frame_rate, least=frames)


@contextmanager
def strangers() -> Iterator[Collection]:
    """A collection of `ENROLLED` random faces in a gallery, and with a key, of its own."""
    name, fingerprint = embedder_identity(None)
    rows = np.random.default_rng(0).standard_normal((ENROLLED, 256), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        store = Store(Path(folder) / "gallery.db", Path(folder) / "master.key")
        with Gallery(store) as gallery:
            templates = [Template(row, fingerprint) for row in rows]
            gallery["strangers"].enroll_templates("stranger", templates, model=name)
            yield gallery["strangers"]


class _Run:
    """One watcher, and the boxes of its tracks at each frame."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.tracked: list[dict[int, Float32]] = []

    def __call__(self, stream: Stream) -> None:
        for moment in self.watcher.watch(stream):
            if not moment.is_end:
                self.tracked.append({face.track_id or 0: face.box for face in moment.faces})


def _play(clip: Path, looped: LoopedClip | None, run: Callable[[Any], None]) -> None:
    if looped is not None:
        run(looped)
        return
    with open_video(clip) as video:
        run(video)


def _steadiness(looped: LoopedClip, tracked: list[dict[int, Float32]]) -> dict[str, Any]:
    """How many faces YuNet sees in most frames of the clip, and the track numbers that each was given."""
    detector = FaceDetector(long_side=LONG_SIDE)
    boxes = [np.array([face.box for face in detector(image)], np.float32).reshape(-1, 4) for image in looped.images]
    numbers = [numbers_of(face, looped.order, tracked) for face in steady_faces(boxes)]
    return {
        "faces_in_most_frames": len(numbers),
        "of_these_one_track": sum(len(found) == 1 for found in numbers),
        "track_numbers": [{str(number): frames for number, frames in found.items()} for found in numbers],
    }
