"""A video file or GIF as frames: in order, each once, to the end or as far as the file is good."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import av.error

from mien.errors import BadInputError
from mien.media.decoding import Clock, RgbConverter, decoded, duration, frame_rate, stamp, video_stream
from mien.media.files import check_file, shown, unreadable
from mien.media.header import HEAD_BYTES, picture_format
from mien.records import Frame, Image

# Only true containers and elementary streams. Playlists, SDP and text formats would make FFmpeg open other files and
# addresses, or draw any text as a video.
_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,gif,mpegts,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,flv,asf,ogg,mjpeg,"
    "mpjpeg,mxf,dv,nut,yuv4mpegpipe,wtv,dhav,wav,mp3,aac,flac,aiff"
)
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
_CONTAINER_MARKS = (
    b"\x1a\x45\xdf\xa3",
    b"RIFF",
    b"GIF8",
    b"FLV",
    b"OggS",
    b"\x30\x26\xb2\x75",
    b"\x00\x00\x01\xba",
    b"G@",
)
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")

_log = logging.getLogger("mien.media.recording")


class Recording:
    """A video file, opened and its first frame decoded.

    Args:
        path: the file; its content decides what it is.
        start: when the recording started, for `Frame.utc`.

    Attributes:
        name: the file's path.
        width, height: of the first frame, after rotation.
        frame_rate: frames a second on average; 25 where the file does not say.
        frame_count: as the file says, None where it does not.
        ended_early: what was wrong with a file that stopped before its end; None while all is well.

    Raises:
        BadInputError: `file_missing`, `file_is_directory`, `file_unreadable`, `video_empty`, `video_format_unknown`,
            `video_damaged` (no frame could be decoded), `video_without_video`, `video_codec_unknown`,
            `video_too_many_pixels`.
    """

    live = False
    reconnects = 0

    def __init__(self, path: str | os.PathLike[str], start: datetime | None) -> None:
        self.name = shown(path)
        self.ended_early: str | None = None
        self._start = start
        self._container = _open(Path(path))
        try:
            self._stream: Any = video_stream(self._container, self.name)
            self.frame_rate = frame_rate(self._stream)
            self.frame_count: int | None = self._stream.frames or None
            self._convert = RgbConverter()
            self._end = 0.0
            self._decoded = self._decode()
            first = next(self._decoded, None)
            if first is None:
                raise BadInputError(
                    f"{self.name}: not one frame could be decoded; the file is damaged or cut short, get it again",
                    code="video_damaged",
                )
        except BaseException:
            self._container.close()
            raise
        self._first: tuple[Image, float] | None = first
        self.height, self.width = first[0].shape[:2]

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """All frames from the first, once; `index` counts them, `time` starts at 0 and only grows."""
        index, previous = 0, self._first
        self._first = None
        while previous is not None and not stop.is_set():
            image, time = previous
            utc = None if self._start is None else self._start + timedelta(seconds=time)
            yield Frame(image, index, time, utc)
            index, previous = index + 1, next(self._decoded, None)

    def close(self) -> None:
        """Let the file go. Only from the thread that reads, or when none does."""
        self._decoded.close()
        self._container.close()

    def _decode(self) -> Generator[tuple[Image, float]]:
        clock = Clock(self.frame_rate)
        try:
            for frame in decoded(self._container, self._stream, self.name):
                time = clock.tick(stamp(frame))
                self._end = time + duration(frame)
                yield self._convert(frame), time
        except av.error.FFmpegError as error:
            self._warn(f"reading failed after {self._end:.1f} s ({error.strerror})")
            return
        promised = self._promised()
        if promised - self._end > max(0.5, 3 / self.frame_rate):
            self._warn(f"ended after {self._end:.1f} of {promised:.1f} s")

    def _promised(self) -> float:
        """The length in seconds that the header gives for the video, 0 where it gives none."""
        if self._container.format.name == "avi" and self.frame_count:
            return self.frame_count / self.frame_rate  # FFmpeg shortens an AVI's duration to what it finds
        if self._stream.duration:
            return float(self._stream.duration * self._stream.time_base)
        if self._container.duration and len(self._container.streams) == 1:
            return self._container.duration / av.time_base
        return 0.0

    def _warn(self, what: str) -> None:
        self.ended_early = what
        _log.warning("%s: %s; the file is damaged or cut short, the frames before are used", self.name, what)


def _open(path: Path) -> Any:
    file, size = check_file(path)
    name = shown(file)
    if size == 0:
        raise BadInputError(f"{name}: is empty (0 bytes); give a video file", code="video_empty")
    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        # "file:" keeps FFmpeg from reading a protocol into a file's name.
        return av.open(f"file:{file}", options=_OPTIONS, metadata_errors="replace")
    except av.error.FFmpegError as error:
        if head.startswith(_CONTAINER_MARKS) or head[4:8] in _MP4_BOXES:
            raise BadInputError(
                f"{name}: this video cannot be opened ({error.strerror}); it is damaged or was cut short before its "
                "index was written, get the whole file",
                code="video_damaged",
            ) from error
        what = "is a picture" if picture_format(head) else "is not in a video format known here"
        raise BadInputError(
            f"{name}: {what}; give a video (MP4, MKV, WebM, AVI, MPEG-TS, GIF, ...) or a folder of pictures",
            code="video_format_unknown",
        ) from error
    except (OSError, ValueError) as error:
        raise unreadable(file, error) from error
