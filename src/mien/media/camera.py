"""Cameras by address: RTSP and webcams, and one connection to one of them."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error

from mien.media.decoding import decoded, video_stream

_READ_TIMEOUT = 5.0
"""Seconds without data that count as a lost connection."""
_DECODING_THREADS = 4
"""Each thread of the decoder may hold back one frame: few of them keep a live picture close to now."""

_RTSP_OPTIONS = {
    "rtsp_transport": "tcp",
    "protocol_whitelist": "rtsp,rtsps,rtp,srtp,tcp,udp,tls,crypto",
    "fflags": "nobuffer",
    "fpsprobesize": "0",  # the rate is in the stream's header; measuring it first costs a second
}
_REFUSALS: dict[type[av.error.FFmpegError], str] = {
    av.error.HTTPUnauthorizedError: "it asks for another user name or password",
    av.error.HTTPForbiddenError: "it forbids this user to watch",
    av.error.HTTPNotFoundError: "it has no stream of this path",
    av.error.HTTPBadRequestError: "it does not understand the address",
}
_SILENT = "no answer in time"
_SECRET = re.compile(r"((?:pass(?:word|wd)?|pwd|token|auth|secret|key)=)[^&/;]*", re.IGNORECASE)
_WEBCAM = re.compile(r"(?:webcam:|/dev/video)?([0-9]+)", re.ASCII)


class NoConnectionError(Exception):
    """A camera that could not be opened; `refused` where it answered, and trying again will not help."""

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


@dataclass(frozen=True, slots=True, eq=False)
class Connection:
    """An open camera: its first picture, and those that follow until it is lost."""

    container: Any
    stream: Any
    first: av.VideoFrame
    rest: Iterator[av.VideoFrame]


def is_camera(source: str) -> bool:
    """Whether text names a camera: `rtsp://...`, `rtsps://...`, a webcam's number, `webcam:0` or `/dev/video0`."""
    return source.lower().startswith(("rtsp://", "rtsps://")) or _WEBCAM.fullmatch(source) is not None


def public_name(source: str) -> str:
    """A camera's name fit for logs and screens: `webcam:0`, or the address without user, password and query.

    Everything up to the last `@` goes, since passwords hold unescaped slashes and question marks in practice.

    Example:
        >>> public_name("rtsp://ada:p/w?@10.0.0.7:554/main?token=5")
        'rtsp://10.0.0.7:554/main'
    """
    webcam = _WEBCAM.fullmatch(source)
    if webcam:
        return f"webcam:{webcam[1]}"
    scheme, _, rest = source.partition("://")
    public = re.split("[?#]", rest.rpartition("@")[2])[0]
    return f"{scheme}://" + _SECRET.sub(r"\1***", public)


def connect(source: str, timeout: float) -> Connection:
    """Open a camera and wait for its first picture.

    Args:
        source: as `is_camera` takes it.
        timeout: seconds to wait for an answer.

    Raises:
        NoConnectionError: with the reason in words that hold no credentials.
        BadInputError: as `video_stream`.
    """
    container, started = None, time.monotonic()
    reason, refused = "it sent no picture", False
    try:
        container = _open(source, timeout)
        stream = video_stream(container, public_name(source))
        stream.codec_context.thread_count = _DECODING_THREADS
        pictures = decoded(container, stream, public_name(source))
        first = next(pictures, None)
        if first is not None:
            connection, container = Connection(container, stream, first, pictures), None
            return connection
    except av.error.FFmpegError as error:
        # The error itself is not passed on: FFmpeg puts the whole address into it.
        reason, refused = lost_because(error), type(error) in _REFUSALS
        if time.monotonic() - started >= timeout:
            reason = _SILENT  # what FFmpeg says then is about the half of an answer
    finally:
        if container is not None:
            container.close()
    raise NoConnectionError(reason, refused=refused)


def lost_because(error: av.error.FFmpegError) -> str:
    """An error of FFmpeg in words without the address."""
    if isinstance(error, av.error.ExitError):
        return _SILENT
    return _REFUSALS.get(type(error), error.strerror or type(error).__name__)


def _open(source: str, timeout: float) -> Any:
    webcam = _WEBCAM.fullmatch(source)
    if webcam is None:
        return av.open(
            source, format="rtsp", options=_RTSP_OPTIONS, timeout=(timeout, _READ_TIMEOUT), metadata_errors="replace"
        )
    if sys.platform == "darwin":
        return av.open(webcam[1], format="avfoundation", options={"framerate": "30"}, timeout=(timeout, _READ_TIMEOUT))
    device = Path(f"/dev/video{webcam[1]}")
    if not device.exists():
        raise NoConnectionError(f"there is no {device}", refused=True)
    return av.open(str(device), format="v4l2", timeout=(timeout, _READ_TIMEOUT))
