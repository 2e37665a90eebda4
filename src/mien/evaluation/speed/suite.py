"""`mien benchmark`: how fast this machine is at each part of the work, beside its peers in the same run.

Contenders take turns in every round, so that what else the machine does falls on all of them; figures are medians over
the rounds. Absolute times are this machine's; the ratios are what can be compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from mien.errors import UsageError
from mien.evaluation.speed.comparison import Comparison

NAMES = ("decode", "detect", "embed", "search", "watch", "startup")
"""What can be measured."""


def benchmark(
    names: Sequence[str] = NAMES,
    *,
    video: Path | None = None,
    frames: int | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> list[Comparison]:
    """Measure.

    Args:
        names: of `NAMES`.
        video: what is decoded, and where the faces come from; None makes a clip of the astronaut.
        frames: `watch` plays the clip from memory, forward and back, until so many frames have come; None plays the
            file once.
        progress: called with the name of what comes next.

    Raises:
        UsageError: `benchmark_unknown`.
        MissingError: a model is missing, or scikit-image where the clip has to be made.
        BadInputError: the video cannot be read, or has no face.
    """
    if unknown := [name for name in names if name not in NAMES]:
        raise UsageError(
            f"no benchmark is called {unknown[0]!r}; there are {', '.join(NAMES)}", code="benchmark_unknown"
        )
    found: list[Comparison] = []
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        clip = video
        if clip is None and set(names) & {"decode", "detect", "embed", "watch"}:
            progress("clip of the astronaut")
            clip = _astronaut(Path(folder))
        for name in NAMES:
            if name in names:
                progress(name)
                found += _measure(name, clip, frames)
    return found


def _astronaut(folder: Path) -> Path:
    from mien.evaluation.clips.astronaut import FRAME_RATE, HEIGHT, WIDTH, clip_frames
    from mien.media.writer import VideoWriter

    path = folder / "astronaut.mp4"
    pictures = clip_frames(present=True)
    first = next(pictures)  # before a file is made: scikit-image may be missing
    with VideoWriter(path, frame_rate=FRAME_RATE, width=WIDTH, height=HEIGHT) as writer:
        writer.write(first)
        for picture in pictures:
            writer.write(picture)
    return path


def _measure(name: str, clip: Path | None, frames: int | None) -> list[Comparison]:
    if name == "search":
        from mien.evaluation.speed.search import search

        return search()
    if name == "startup":
        from mien.evaluation.speed.startup import startup

        return [startup()]
    if clip is None:
        raise UsageError(f"the benchmark {name} needs a video", code="benchmark_without_video")
    if name == "watch":
        from mien.evaluation.speed.watch import watch

        return [watch(clip, frames)]
    from mien.evaluation.speed import pictures

    return [getattr(pictures, name)(clip)]
