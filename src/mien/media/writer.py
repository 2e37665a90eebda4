"""Video out: RGB arrays -> an MP4 file that appears whole or not at all."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
import numpy as np
from av.video.reformatter import ColorRange

from mien.errors import MissingError, UsageError
from mien.media.files import shown, temporary_beside, unwritable
from mien.records import Image

_TICKS = 60_000
"""Time steps a second in the file; MPEG-4 part 2 has room for 65,535."""
_SMPTE170M = 6
"""Of FFmpeg's AVColorSpace."""
_ENCODERS: dict[str, dict[str, str]] = {
    "libx264": {"crf": "21", "preset": "veryfast"},
    "libopenh264": {"b": "6M", "allow_skip_frames": "0"},
    "mpeg4": {"qmin": "2", "qmax": "4"},
}

_log = logging.getLogger("mien.media.writer")


class VideoWriter:
    """Writes frames into an MP4 file: H.264 where PyAV has an encoder for it, else MPEG-4 part 2.

    A context manager. The file takes its name when the block ends well; when it ends with an error, or without a
    frame, nothing is left behind.

    Args:
        path: the file, `.mp4`.
        frame_rate: frames a second, for frames that are written without a time.
        width, height: of every frame. H.264 takes even sizes only: an odd one gets its last column or row twice.

    Raises:
        UsageError: `video_suffix`, `frame_rate_invalid`, `frame_size` (also from `write`), `file_unwritable`.
        MissingError: `encoder_missing`.

    Example:
        >>> with VideoWriter("out.mp4", 25, 640, 480) as writer:  # doctest: +SKIP
        ...     writer.write(np.zeros((480, 640, 3), np.uint8))
    """

    def __init__(self, path: str | os.PathLike[str], frame_rate: float, width: int, height: int) -> None:
        if Path(path).suffix.lower() != ".mp4":
            raise UsageError(f"{shown(path)}: videos are written as .mp4", code="video_suffix")
        if not 0 < frame_rate <= 1000:
            raise UsageError(
                f"frame_rate = {frame_rate}: expected 0 to 1000 frames a second", code="frame_rate_invalid"
            )
        if width < 1 or height < 1:
            raise UsageError(f"a video of {width} x {height} pixels cannot be written", code="frame_size")
        self._path, self._frame_rate, self._size = path, frame_rate, (width, height)
        self._written, self._last = 0, -1
        self._temporary = temporary_beside(path)
        self._container: Any = None
        self._stream: Any = None

    def __enter__(self) -> Self:
        try:
            self._container = av.open(f"file:{self._temporary}", "w", format="mp4", options={"movflags": "+faststart"})
        except (OSError, av.error.FFmpegError) as error:
            raise unwritable(self._path, error) from error
        name, options = _encoder()
        self._stream = self._container.add_stream(name, rate=Fraction(self._frame_rate).limit_denominator(1001))
        self._stream.options = options
        self._stream.width, self._stream.height = (side + side % 2 for side in self._size)
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS)
        # Said in the file, since players guess another matrix for large pictures than the one FFmpeg converts with.
        self._stream.codec_context.colorspace = _SMPTE170M
        self._stream.codec_context.color_range = ColorRange.MPEG
        return self

    def write(self, image: Image, time: float | None = None) -> None:
        """Add a frame.

        Args:
            image: RGB uint8 `(height, width, 3)`.
            time: seconds from the start at which it is shown; by default the frame rate tells. A time that does not
                come after the one before is moved to just after it.
        """
        if image.shape != (self._size[1], self._size[0], 3) or image.dtype != np.uint8:
            raise UsageError(
                f"a frame of {image.dtype} {image.shape} does not fit this video; expected uint8 "
                f"{(self._size[1], self._size[0], 3)}",
                code="frame_size",
            )
        moment = self._written / self._frame_rate if time is None else time
        odd_height, odd_width = image.shape[0] % 2, image.shape[1] % 2
        if odd_height or odd_width:
            image = np.pad(image, ((0, odd_height), (0, odd_width), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts = self._last = max(round(moment * _TICKS), self._last + 1)
        frame.time_base = Fraction(1, _TICKS)
        self._encode(frame)
        self._written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is None and self._written:
                self._encode(None)
                self._container.close()
                self._temporary.replace(self._path)
            elif error is None:
                _log.warning("%s: not written, no frame came", shown(self._path))
        except (OSError, av.error.FFmpegError) as problem:
            raise unwritable(self._path, problem) from problem
        finally:
            with suppress(OSError, av.error.FFmpegError):
                self._container.close()
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        """Encode a frame, or with None what the encoder still holds."""
        try:
            self._container.mux(self._stream.encode(frame))
        except (OSError, av.error.FFmpegError) as error:
            raise unwritable(self._path, error) from error


def _encoder() -> tuple[str, dict[str, str]]:
    """The best encoder of this build of PyAV, and its settings."""
    for name, options in _ENCODERS.items():
        try:
            av.Codec(name, "w")
        except ValueError:  # unknown to this build
            continue
        return name, options
    raise MissingError("this build of PyAV has no video encoder; reinstall it: pip install av", code="encoder_missing")
