"""What can be watched, and how its time goes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.media.files import is_url
from mien.records import Frame

AWAY_SECONDS = 2.0
"""A live stream without a frame for so long was away; a slow one still sends a frame a second."""


class Stream(Protocol):
    """What can be watched: `mien.media.video.Video`, or frames that something else makes."""

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace."""

    @property
    def frame_rate(self) -> float:
        """Frames a second."""

    @property
    def dropped(self) -> int:
        """Frames that nobody was ready for."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order."""


def steps_between(video: Stream, last: Frame, frame: Frame) -> int:
    """How many frames of a tracker's time lie between two frames, at least 1.

    A camera that was away for a while, or that delivers fewer frames than it says, skips time without skipping
    numbers.
    """
    numbers = frame.index - last.index
    times = round((frame.time - last.time) * video.frame_rate) if video.live else 0
    return max(1, numbers, times)


def seconds_away(video: Stream, last: Frame, frame: Frame) -> float | None:
    """For how long a live stream was away between two frames; None where it was not."""
    seconds = frame.time - last.time
    return seconds if video.live and seconds >= AWAY_SECONDS else None


def resizing(last: Frame, frame: Frame) -> NDArray[np.float64] | None:
    """The matrix `(2, 3)` from the pixels of one frame to those of the next, where its size is another one."""
    before, now = last.image.shape, frame.image.shape
    if before == now:
        return None
    return np.array([[now[1] / before[1], 0, 0], [0, now[0] / before[0], 0]])


def stream_name(video: Stream) -> str:
    """How events name a stream: a camera's address without credentials, a recording's file name; else empty.

    The folder is left out, so that the same video gives the same events wherever it lies.
    """
    name = str(getattr(video, "name", ""))
    return name if video.live or is_url(name) else PurePath(name).name
