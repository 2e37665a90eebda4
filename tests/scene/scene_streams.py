"""Streams made of a still picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from mien.records import Frame, Image


@dataclass
class Clip:
    """Pictures as a stream; raises `error` after the last one."""

    frames: list[Frame]
    frame_rate: float = 25.0
    live: bool = False
    dropped: int = 0
    error: Exception | None = None
    taken: int = field(default=0)

    def __iter__(self) -> Iterator[Frame]:
        for frame in self.frames:
            self.taken += 1
            yield frame
        if self.error is not None:
            raise self.error


def still(image: Image, times: list[float], **kinds: object) -> Clip:
    """A stream that shows one picture at these times in seconds."""
    return Clip([Frame(image.copy(), index, time) for index, time in enumerate(times)], **kinds)


def steady(count: int, start: float = 0.0) -> list[float]:
    """The times of `count` frames at 25 a second."""
    return [start + index / 25 for index in range(count)]
