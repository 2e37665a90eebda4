"""Detection in the next frames beside what is done with this one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from mien.errors import MienError
from mien.records import Frame, Image
from mien.scene.stream import Stream

Look = Callable[[Image], Sequence[Any]]
"""A detector: a picture in, findings out; called from several threads."""


class LookAhead:
    """The frames of a stream, in order, each with what every detector found in it.

    A live stream is not looked ahead in: that would answer one frame late. An error of the stream is kept in `broken`
    until what came before it has been used.

    Args:
        looks: the detectors.
        threads: how many of them run at a time, and how many frames of a file are looked at ahead.
    """

    def __init__(self, looks: Sequence[Look], threads: int) -> None:
        self._looks, self._threads = looks, threads
        self.broken: MienError | None = None

    def __call__(self, video: Stream) -> Generator[tuple[Frame, list[list[Any]]], None, None]:
        """Each frame with the findings of each detector; closing the generator ends the threads."""
        ahead = 1 if video.live else self._threads + 1
        waiting: deque[tuple[Frame, list[Future[Sequence[Any]]]]] = deque()
        frames = iter(video)
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="mien-detect")
        try:
            while (frame := self._next(frames)) is not None:
                waiting.append((frame, [pool.submit(look, frame.image) for look in self._looks]))
                if len(waiting) >= ahead:
                    yield _done(*waiting.popleft())
            while waiting:
                yield _done(*waiting.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        try:
            return next(frames, None)
        except MienError as error:
            self.broken = error
            return None


def _done(frame: Frame, findings: list[Future[Sequence[Any]]]) -> tuple[Frame, list[list[Any]]]:
    return frame, [list(found.result()) for found in findings]
