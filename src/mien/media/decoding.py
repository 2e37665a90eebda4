"""What files and live streams share: the video stream of a PyAV container, and its frames as RGB arrays."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import av.error
import cv2
import numpy as np
from av.stream import Disposition
from av.video.reformatter import VideoReformatter

from mien.errors import BadInputError
from mien.records import Image
from mien.settings import settings

_HIGHEST_RATE = 1000
"""Frames a second; a stream without a rate is guessed to have that of its clock, 90,000."""

_log = logging.getLogger("mien.media.decoding")


def video_stream(container: Any, name: str) -> Any:
    """The first stream of a container that is a moving picture (not the cover of a song), ready to be decoded.

    Raises:
        BadInputError: `video_without_video`, `video_codec_unknown`, `video_too_many_pixels`.
    """
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise BadInputError(
            f"{name}: holds no video ({kinds} only); give a file with video", code="video_without_video"
        )
    stream = streams[0]
    if stream.codec_context is None:
        raise BadInputError(
            f"{name}: its video codec is not known here; convert it to H.264", code="video_codec_unknown"
        )
    most = settings().picture_pixels
    if stream.width * stream.height > most:
        raise BadInputError(
            f"{name}: its pictures have {stream.width} x {stream.height} pixels, at most {most} in all are taken; make "
            "it smaller or raise MIEN_PICTURE_PIXELS",
            code="video_too_many_pixels",
        )
    # A header may lie: the decoder itself refuses larger pictures before it makes room for them.
    stream.codec_context.options = {"max_pixels": str(most)}
    stream.thread_type = "AUTO"
    return stream


def decoded(container: Any, stream: Any, name: str) -> Iterator[av.VideoFrame]:
    """All frames of a stream that can be decoded. A damaged packet is left out, as players do, and logged at the end.

    Raises:
        av.error.FFmpegError: reading fails.
    """
    damaged = 0
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                damaged += 1
                continue
            yield from frames
    finally:
        if damaged:
            _log.warning("%s: %d damaged packets were left out", name, damaged)


class RgbConverter:
    """PyAV frames as RGB arrays; keeps its scaler between calls, which halves the time of `VideoFrame.to_ndarray`.

    One thread in the scaler: it runs beside the decoder and the networks, which fill the cores.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._rotation: int | None = None
        self._matrix: tuple[int, ...] | None = None

    def __call__(self, frame: av.VideoFrame) -> Image:
        """RGB uint8 `(H, W, 3)`, C-contiguous, upright as its display matrix says.

        The array is the memory that the conversion wrote; it is copied again only where the width leaves padding at
        the end of a row, or the picture has to be turned.
        """
        converted = self._reformatter.reformat(frame, format="rgb24", threads=1)
        image = np.asarray(converted.to_ndarray(), np.uint8)
        if converted is frame:
            image = image.copy()  # RGB already: the memory is the decoder's, which may read it again
        if frame.rotation != self._rotation:
            # Asked for only where it changes: a frame that was asked for its side data is in a reference cycle, and
            # megabytes of pixels wait for the garbage collector.
            self._rotation, self._matrix = frame.rotation, display_matrix(frame)
        return upright(np.ascontiguousarray(image), self._matrix)


def display_matrix(frame: av.VideoFrame) -> tuple[int, ...] | None:
    """The nine numbers of a frame's display matrix, None where it has none."""
    side_data: Any = frame.side_data
    matrix = side_data.get("DISPLAYMATRIX")
    return None if matrix is None else struct.unpack("=9i", bytes(matrix))


def upright(image: Image, matrix: tuple[int, ...] | None) -> Image:
    """Turn and mirror an image `(H, W, 3)` as a display matrix says, to the nearest of the eight ways that keep pixels.

    A pixel (x, y) is shown at (a x + c y, b x + d y) with a, b, c, d the matrix's elements 0, 1, 3, 4.
    ISO/IEC 14496-12, 6.2.2; FFmpeg's libavutil/display.h.
    """
    if matrix is None:
        return image
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    if abs(b) > abs(a):
        image = np.asarray(cv2.transpose(image), np.uint8)
        a, d = c, b
    if a < 0 or d < 0:
        axis = -1 if a < 0 and d < 0 else 1 if a < 0 else 0
        image = np.asarray(cv2.flip(image, axis), np.uint8)
    return image


def frame_rate(stream: Any, otherwise: float = 25.0) -> float:
    """Frames a second as the container says, or guesses; `otherwise` where it does neither, or nothing sensible."""
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate and rate <= _HIGHEST_RATE else otherwise


def stamp(frame: av.VideoFrame) -> Fraction | None:
    """The frame's presentation time in seconds of its container's clock, exactly; None where it has none."""
    if frame.pts is None or frame.time_base is None:
        return None
    return frame.pts * frame.time_base


def duration(frame: av.VideoFrame) -> float:
    """Seconds that the frame is shown, 0 where the container does not say."""
    return float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0


class Clock:
    """Presentation times as a stream's own time: the first frame at 0, growing with each frame.

    Where a time is missing, or jumps back, a frame comes one step of the frame rate after the one before.
    """

    def __init__(self, frame_rate: float) -> None:
        self._step = 1 / frame_rate
        self._last = -self._step
        self._zero: tuple[Fraction, float] | None = None

    def tick(self, stamp: Fraction | None) -> float:
        """The time in seconds of the next frame.

        Example:
            >>> clock = Clock(frame_rate=10)
            >>> [clock.tick(stamp) for stamp in (Fraction(5), Fraction(11, 2), None)]
            [0.0, 0.5, 0.6]
        """
        time = self._last + self._step
        if stamp is not None:
            if self._zero is None:
                self._zero = stamp, time
            own = float(stamp - self._zero[0]) + self._zero[1]
            time = own if own > self._last else time
        self._last = time
        return time
