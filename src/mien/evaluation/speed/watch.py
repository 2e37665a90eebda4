"""The whole of `mien watch` beside detection and embedding of every face on every frame with ONNX Runtime."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluation.speed.comparison import Comparison, interleave
from mien.evaluation.speed.looping import LoopedClip
from mien.evaluation.speed.peers import WITHOUT_ONNX_RUNTIME, OnnxDetector, OnnxEmbedder, has_onnx_runtime
from mien.evaluation.speed.steady_faces import numbers_of, steady_faces
from mien.face.detector import FaceDetector
from mien.face.embedder import embedder_identity
from mien.identity.gallery import Collection, Gallery
from mien.identity.store import Store
from mien.media.video import open_video
from mien.records import Float32, Frame, Template
from mien.scene.stream import Stream
from mien.scene.watcher import LONG_SIDE, Watcher

ENROLLED = 1000
"""Faces in the collection that is searched: random ones, so that nobody is recognized."""

TURN = 50
"""Frames at a time."""

_PEER = "ONNX Runtime on every frame"


def watch(clip: Path, frames: int | None = None) -> Comparison:
    """One whole stream each, networks loaded before; they take turns of `TURN` frames, and the first does not count.

    The watcher looks a few frames ahead of a turn's end, into the peer's time: well below 1% of it.

    Args:
        clip: the video; decoding it is part of the work where `frames` is None.
        frames: play it from memory, forward and back, until so many frames have come.
    """
    with ExitStack() as stack:
        looped = None if frames is None else loop(clip, frames)
        count = _length(clip) if looped is None else len(looped.order)
        turn = min(TURN, max(count // 4, 1))
        run = _Run(Watcher(stack.enter_context(strangers())))
        ours = run(looped or stack.enter_context(open_video(clip)))
        contenders: dict[str, Callable[[], object]] = {"mien": partial(_advance, ours, turn)}
        notes: tuple[str, ...] = ()
        if has_onnx_runtime():
            theirs = every_frame(looped or stack.enter_context(open_video(clip)))
            contenders[_PEER] = partial(_advance, theirs, turn)
        else:
            notes = (WITHOUT_ONNX_RUNTIME,)
        rounds = max(count // turn - 1, 1)
        turns = interleave(contenders, rounds)
        _advance(ours, None)
    each = {name: value / turn for name, value in turns.items()}
    facts: dict[str, Any] = {
        "frames": count,
        "frames_per_second": {name: round(1e3 / value, 1) for name, value in each.items()},
        "tracks": run.watcher.summary.tracks,
        "extractions": run.watcher.summary.extractions,
    }
    if looped is not None:
        facts |= _steadiness(looped, run.tracked)
    return Comparison("watch", f"one frame, in turns of {turn}", rounds, each, notes, facts)


def every_frame(stream: Iterable[Frame]) -> Iterator[None]:
    """What `watch` saves: detect, and embed every face of every frame, one frame after the other."""
    detector, embedder = OnnxDetector(LONG_SIDE), OnnxEmbedder()
    for frame in stream:
        rows = detector(frame.image)
        if len(rows):
            embedder([embedder.crop(frame.image, row[4:14].reshape(5, 2)) for row in rows])
        yield


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

    def __call__(self, stream: Stream) -> Iterator[None]:
        for moment in self.watcher.watch(stream):
            if not moment.is_end:
                self.tracked.append({face.track_id or 0: face.box for face in moment.faces})
                yield


def _advance(frames: Iterator[None], count: int | None) -> None:
    """Play so many frames; None: to the end."""
    deque(islice(frames, count), maxlen=0)


def _length(clip: Path) -> int:
    with open_video(clip) as video:
        return sum(1 for _ in video)


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
