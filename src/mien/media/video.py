"""Video in: a file, GIF, folder of pictures, webcam or RTSP camera as one iterator of frames.

Decoding runs in a thread of its own, so that it overlaps with what is done with the frames.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from mien.errors import UsageError
from mien.media.camera import is_camera
from mien.media.files import is_url
from mien.media.handover import Handover
from mien.media.live import LiveSource
from mien.media.recording import Recording
from mien.media.slideshow import Slideshow
from mien.records import Frame

_DEPTH = 4
"""Decoded frames that wait for the reader of a file; enough to even out slow and fast ones."""
_LONGEST_GOODBYE = 1.0
"""Seconds that closing waits for the decoding thread; one that waits for a silent camera ends by itself later."""


class FrameSource(Protocol):
    """What a video is read from: `Recording`, `Slideshow` or `LiveSource`."""

    live: bool
    name: str
    width: int
    height: int
    frame_rate: float
    frame_count: int | None
    reconnects: int
    ended_early: str | None

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """All frames, once, until the end or until `stop` is set."""

    def close(self) -> None:
        """Let go of files and connections."""


class Video:
    """An open video: an iterator of `Frame`, once from start to end, and a context manager that closes it.

    From a file every frame comes, in order. From a live source the newest one comes: what a slow reader misses is
    counted in `dropped` and leaves gaps in `Frame.index`.

    Example:
        >>> with open_video("clip.mp4") as video:  # doctest: +SKIP
        ...     for frame in video:
        ...         print(frame.index, frame.time, frame.image.shape)
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self._handover: Handover[Frame] = Handover(1 if source.live else _DEPTH, newest_only=source.live)
        thread = threading.Thread(target=_produce, args=(source, self._handover), name="mien-decode", daemon=True)
        # Also when the video is forgotten without being closed, and when the program ends.
        self._finalizer = weakref.finalize(self, _stop, self._handover, thread)
        thread.start()

    @property
    def name(self) -> str:
        """The path, the address without credentials, or `webcam:0`."""
        return self._source.name

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace, from a camera."""
        return self._source.live

    @property
    def width(self) -> int:
        """Pixels from left to right of the first frame, after rotation."""
        return self._source.width

    @property
    def height(self) -> int:
        """Pixels from top to bottom of the first frame, after rotation."""
        return self._source.height

    @property
    def frame_rate(self) -> float:
        """Frames a second on average, 25 where the source does not say."""
        return self._source.frame_rate

    @property
    def frame_count(self) -> int | None:
        """Number of frames as the source says; None for live ones and where a file does not say."""
        return self._source.frame_count

    @property
    def dropped(self) -> int:
        """Frames of a live source that came while the reader was busy."""
        return self._handover.dropped

    @property
    def reconnects(self) -> int:
        """How often a live source was lost and found again."""
        return self._source.reconnects

    @property
    def ended_early(self) -> str | None:
        """What was wrong with a file that stopped before its end; also logged as a warning."""
        return self._source.ended_early

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        frame = self._handover.get()
        if frame is None:
            raise StopIteration
        return frame

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop decoding and let the source go; iterating ends. May be called again."""
        self._finalizer()


def open_video(
    source: str | os.PathLike[str],
    *,
    start: datetime | None = None,
    frame_rate: float = 25.0,
    patience: float = 60.0,
) -> Video:
    """Open a video and decode its first frame.

    Args:
        source: a file (its content counts, not its name), a folder of pictures, `rtsp://...` or `rtsps://...`, or a
            webcam as `0`, `webcam:0` or `/dev/video0`. A Path is always a file or a folder.
        start: when a recording started, for `Frame.utc`; without a time zone it is taken as UTC.
        frame_rate: frames a second of a folder of pictures; everything else knows its own.
        patience: seconds without any picture from a live source, at the start or later, after which it is given up.

    Raises:
        BadInputError: `file_missing`, `file_unreadable`, `video_empty`, `video_format_unknown`, `video_damaged`,
            `video_without_video`, `video_codec_unknown`, `video_too_many_pixels`, `folder_without_pictures`.
        MissingError: `camera_unreachable` (also raised while iterating), `camera_refused`.
        UsageError: `url_refused`, `start_of_live`, `frame_rate_invalid`.
    """
    if not 0 < frame_rate <= 1000:
        raise UsageError(f"frame_rate = {frame_rate}: expected 0 to 1000 frames a second", code="frame_rate_invalid")
    if isinstance(source, str) and is_camera(source):
        if start is not None:
            raise UsageError("a live source starts now; leave `start` out", code="start_of_live")
        return Video(LiveSource(source, patience))
    if is_url(source):
        raise UsageError(
            f"{str(source).partition('://')[0]}:// addresses are not opened; give a file, a folder, a webcam's number "
            "or an rtsp:// address",
            code="url_refused",
        )
    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=UTC)
    if Path(source).is_dir():
        return Video(Slideshow(source, frame_rate, start))
    return Video(Recording(source, start))


def _produce(source: FrameSource, handover: Handover[Frame]) -> None:
    problem: BaseException | None = None
    try:
        for frame in source.frames(handover.closed):
            if not handover.put(frame):
                break
    except BaseException as error:  # raised again where the frames are read
        problem = error
    finally:
        source.close()
        handover.finish(problem)


def _stop(handover: Handover[Frame], thread: threading.Thread) -> None:
    handover.close()
    if thread is not threading.current_thread():
        thread.join(_LONGEST_GOODBYE)
