"""A live source as frames: as they come, connected again when it falls silent."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import av
import av.error

from mien.errors import MissingError
from mien.media.camera import Connection, NoConnectionError, connect, lost_because, public_name
from mien.media.decoding import RgbConverter, frame_rate, stamp
from mien.records import Frame

_LONGEST_ATTEMPT = 10.0
"""Seconds that one attempt to connect may take."""
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 15.0
"""Seconds between attempts: doubled each time, between half and the whole of it at random."""
_MOST_DRIFT = 1.0
"""Seconds by which a camera's clock may leave ours before its times are set anew."""
_SMALLEST_STEP = 1e-3
"""Seconds by which time grows at least from frame to frame."""

_log = logging.getLogger("mien.media.live")


class LiveSource:
    """A camera, connected and its first frame decoded.

    `Frame.time` goes by the camera's own clock within a connection and by the wall clock over a gap; `Frame.utc` is
    this machine's. `Frame.index` counts what was decoded.

    Args:
        source: as `mien.media.camera.is_camera` takes it.
        patience: seconds without a picture, at the start or later, after which it is given up.

    Attributes:
        name: the address without credentials, or `webcam:0`.
        width, height: of the first frame.
        frame_rate: frames a second as the stream says; 25 where it does not.
        frame_count, ended_early: always None.
        reconnects: connections after the first.

    Raises:
        MissingError: `camera_unreachable` after `patience`; `camera_refused` at once where the first answer is a
            refusal (login, path) or the webcam does not exist.
        BadInputError: as `mien.media.decoding.video_stream`.
    """

    live = True
    frame_count: int | None = None
    ended_early: str | None = None

    def __init__(self, source: str, patience: float) -> None:
        self.name = public_name(source)
        self.reconnects = 0
        self._source, self._patience = source, patience
        self._convert = RgbConverter()
        self._random = random.Random()  # noqa: S311 - spreads cameras that come back in time, guards nothing
        self._alive = time.monotonic()
        self._connection: Connection
        self._connect(threading.Event(), first=True)
        self._started = self._alive = time.monotonic()
        self.frame_rate = frame_rate(self._connection.stream)
        self.height, self.width = self._convert(self._connection.first).shape[:2]

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """Frames from the first, until `stop` is set; MissingError `camera_unreachable` when patience is over."""
        index, last = 0, -_SMALLEST_STEP
        while True:
            zero: tuple[float, float] | None = None
            for raw in self._pictures():
                self._alive = time.monotonic()
                elapsed, own = self._alive - self._started, stamp(raw)
                moment = elapsed
                if own is not None:
                    if zero is None or abs(float(own) - zero[0] + zero[1] - elapsed) > _MOST_DRIFT:
                        zero = float(own), elapsed
                    moment = float(own) - zero[0] + zero[1]
                last = moment = max(moment, last + _SMALLEST_STEP)
                yield Frame(self._convert(raw), index, moment, datetime.now(UTC) - timedelta(seconds=elapsed - moment))
                index += 1
            if not self._connect(stop):
                return
            self.reconnects += 1
            _log.info("%s: connected again", self.name)

    def close(self) -> None:
        """Let the connection go. Only from the thread that reads, or when none does."""
        self._connection.container.close()

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """What the present connection brings; ends, with a warning in the log, when it is lost."""
        yield self._connection.first
        reason = "the stream ended"
        try:
            yield from self._connection.rest
        except av.error.FFmpegError as error:
            reason = lost_because(error)
        _log.warning("%s: lost (%s), connecting again", self.name, reason)
        self._connection.container.close()

    def _connect(self, stop: threading.Event, *, first: bool = False) -> bool:
        """Try, ever more slowly, until there is a picture; False when told to stop."""
        delay, reason = _FIRST_DELAY, "no picture came"
        wait = 0.0 if first else delay * self._random.uniform(0.5, 1.0)
        while not stop.wait(wait):
            left = self._patience - (time.monotonic() - self._alive)
            if left <= 0:
                raise MissingError(
                    f"{self.name}: no picture for {self._patience:g} s ({reason}); check the address and that the "
                    "camera is on",
                    code="camera_unreachable",
                )
            try:
                self._connection = connect(self._source, min(_LONGEST_ATTEMPT, left))
                return True
            except NoConnectionError as error:
                reason = str(error)
                if first and error.refused:
                    raise MissingError(
                        f"{self.name}: {reason}; check the address, and that this user may watch",
                        code="camera_refused",
                    ) from None
            _log.warning("%s: no connection (%s)", self.name, reason)
            wait = min(left, delay * self._random.uniform(0.5, 1.0))
            delay = min(2 * delay, _LONGEST_DELAY)
        return False
