"""Streams side by side: recordings in the order of time, live ones as they come, broken ones without the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest

from mien.cameras.interleaving import Interleaved
from mien.errors import BadInputError, MienError
from mien.records import Frame


class Clip:
    """`count` grey frames at `rate` a second; breaks off with `error` after them."""

    def __init__(self, count: int, rate: float, *, error: Exception | None = None, live: bool = False) -> None:
        self.count, self.frame_rate, self.error, self.live, self.dropped = count, rate, error, live, 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.count):
            if self.live:
                time.sleep(1 / self.frame_rate)
            yield Frame(np.full((4, 4, 3), index, np.uint8), index, index / self.frame_rate)
        if self.error is not None:
            raise self.error


def brightness(image: np.ndarray) -> list[int]:
    return [int(image.mean())]


@pytest.mark.parametrize("attempt", range(3))
def test_recordings_come_in_the_order_of_the_common_time(attempt):
    streams = {"slow": Clip(10, 5.0), "quick": Clip(30, 25.0), "late": Clip(5, 10.0)}
    offsets = {"slow": 0.0, "quick": 0.5, "late": -3.0}
    seen = list(Interleaved(streams, offsets, [brightness]))
    times = [frame.time + offsets[name] for name, frame, _, _ in seen if frame is not None]
    assert times == sorted(times)
    assert len(times) == 45
    assert all(found == [[frame.index]] for _, frame, found, _ in seen if frame is not None)
    assert sorted(name for name, frame, _, _ in seen if frame is None) == ["late", "quick", "slow"]
    ends = [at for at, (name, frame, _, _) in enumerate(seen) if name == "late" and frame is None]
    assert ends == [5]  # told as soon as it is over, not after the others


def test_a_broken_stream_does_not_stop_the_others():
    broken = BadInputError("cut off", code="video_truncated")
    seen = list(Interleaved({"a": Clip(3, 10, error=broken), "b": Clip(20, 10)}, {"a": 0, "b": 0}, [brightness]))
    assert sum(name == "b" and frame is not None for name, frame, _, _ in seen) == 20
    (error,) = [error for name, frame, _, error in seen if name == "a" and frame is None]
    assert error is broken


def test_a_detector_that_fails_is_told_and_ends_its_stream():
    def fails(image):
        if image.mean() == 2:
            raise ZeroDivisionError("two")
        return []

    seen = list(Interleaved({"a": Clip(5, 10)}, {"a": 0}, [fails]))
    error = seen[-1][3]
    assert isinstance(error, MienError)
    assert error.code == "internal"
    assert "two" in str(error)


def test_live_streams_do_not_wait_for_each_other():
    quick, slow = Clip(30, 100, live=True), Clip(3, 3, live=True)
    seen = list(Interleaved({"quick": quick, "slow": slow}, {"quick": 0, "slow": 0}, [brightness]))
    before_slow = next(at for at, (name, _, _, _) in enumerate(seen) if name == "slow")
    assert before_slow >= 10
    assert sum(frame is None for _, frame, _, _ in seen) == 2


def test_leaving_early_ends_the_threads():
    def running() -> int:
        return sum(thread.name.startswith("mien-camera-") for thread in threading.enumerate())

    frames = iter(Interleaved({"a": Clip(10_000, 25), "b": Clip(10_000, 25)}, {"a": 0, "b": 0}, [brightness]))
    assert len(list(islice(frames, 20))) == 20
    assert running() == 2
    frames.close()
    for _ in range(100):
        if not running():
            break
        time.sleep(0.02)
    assert running() == 0
