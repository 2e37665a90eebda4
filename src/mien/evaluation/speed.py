"""`mien benchmark`: how fast this machine is at each part of the work, beside its peers in the same run.

Contenders take turns in every round, so that what else the machine does falls on all of them; figures are medians over
the rounds. Absolute times are this machine's; the ratios are what can be compared.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any

from mien.errors import UsageError

NAMES = ("decode", "detect", "embed", "search", "watch", "startup")
"""What can be measured."""

_PAUSE = 0.02
"""Seconds between two turns: the threads of the last contender's pool spin for a while, on the next one's cores."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One piece of work, done by mien and by its peers.

    Attributes:
        name: one of `NAMES`, with a detail where there are several.
        work: what one time is for.
        rounds: how often each contender did it.
        milliseconds: median time of each contender; the first is the one that the others are compared with.
        notes: what was left out, and why.
        facts: what else was found out.
    """

    name: str
    work: str
    rounds: int
    milliseconds: dict[str, float]
    notes: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def ratios(self) -> dict[str, float]:
        """Time of each contender divided by that of the first: above 1, the first is faster."""
        first = next(iter(self.milliseconds.values()))
        return {name: value / first for name, value in self.milliseconds.items()}

    def to_dict(self) -> dict[str, Any]:
        """The comparison as a JSON object."""
        record: dict[str, Any] = {
            "benchmark": self.name,
            "work": self.work,
            "rounds": self.rounds,
            "milliseconds": {name: round(value, 4) for name, value in self.milliseconds.items()},
            "ratios": {name: round(value, 3) for name, value in self.ratios.items()},
        }
        if self.facts:
            record["facts"] = self.facts
        if self.notes:
            record["notes"] = list(self.notes)
        return record


def interleave(contenders: Mapping[str, Callable[[], object]], rounds: int, *, warm: bool = False) -> dict[str, float]:
    """Median milliseconds of each contender over `rounds`, after one that does not count.

    With `warm` a contender runs once uncounted at the start of each turn, as it does in the middle of a stream: after
    a pause the threads of its pool sleep, and the processor's caches hold the work of others.

    Example:
        >>> list(interleave({"mien": lambda: None, "peer": lambda: None}, rounds=3))
        ['mien', 'peer']
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(-1, rounds):
        for name, contender in contenders.items():
            sleep(_PAUSE)
            if warm:
                contender()
            start = perf_counter()
            contender()
            if number >= 0:
                seconds[name].append(perf_counter() - start)
    return {name: median(times) * 1e3 for name, times in seconds.items()}


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
    from mien.evaluation.astronaut import FRAME_RATE, HEIGHT, WIDTH, clip_frames
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
        from mien.evaluation.speed_search import search

        return search()
    if name == "startup":
        from mien.evaluation.speed_startup import startup

        return [startup()]
    if clip is None:
        raise UsageError(f"the benchmark {name} needs a video", code="benchmark_without_video")
    if name == "watch":
        from mien.evaluation.speed_watch import watch

        return [watch(clip, frames)]
    from mien.evaluation import speed_pictures

    return [getattr(speed_pictures, name)(clip)]
