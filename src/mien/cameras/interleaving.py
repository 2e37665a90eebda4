"""Several streams at once: read and looked at in threads, handed out one frame at a time."""

from __future__ import annotations

import queue
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from threading import Event, Thread
from typing import Any

from mien.errors import MienError
from mien.records import Frame
from mien.scene.look_ahead import Look, LookAhead
from mien.scene.stream import Stream

_WAITING = 2  # frames of one stream that wait to be handed out
_PATIENCE = 0.2  # seconds after which a waiting thread looks whether it should stop

Seen = tuple[str, Frame | None, list[list[Any]], MienError | None]
"""Camera, frame (None at the stream's end), findings of each detector, and what ended the stream if not its end."""


class Interleaved:
    """Frames of several streams with what the detectors found in them.

    Recordings are handed out in the order of the common time, so that the same files give the same order; where a
    stream is live, as they come.

    Args:
        streams: by camera; opened, and closed by the caller.
        offsets: seconds to add to the times of each camera.
        looks: the detectors; called from several threads.
    """

    def __init__(self, streams: Mapping[str, Stream], offsets: Mapping[str, float], looks: Sequence[Look]) -> None:
        self._streams, self._offsets, self._looks = streams, offsets, looks
        self._stop = Event()
        self._is_live = any(stream.live for stream in streams.values())
        shared: queue.Queue[Seen] = queue.Queue(_WAITING * len(streams))
        self._queues = {name: shared if self._is_live else queue.Queue[Seen](_WAITING) for name in streams}

    def __iter__(self) -> Generator[Seen, None, None]:
        """Each frame once, and for each stream its end."""
        threads = [
            Thread(target=self._read, args=(name,), name=f"mien-camera-{name}", daemon=True) for name in self._streams
        ]
        for thread in threads:
            thread.start()
        try:
            yield from self._as_they_come() if self._is_live else self._by_time()
        finally:
            self._stop.set()

    def _by_time(self) -> Generator[Seen, None, None]:
        heads = {name: waiting.get() for name, waiting in self._queues.items()}
        while heads:
            # A stream that ends comes first: its last tracklets are older than what the others show now.
            name = min(heads, key=lambda camera: (self._time(heads[camera]), camera))
            seen = heads.pop(name)
            if seen[1] is not None:
                heads[name] = self._queues[name].get()
            yield seen

    def _as_they_come(self) -> Generator[Seen, None, None]:
        open_streams = len(self._streams)
        shared = next(iter(self._queues.values()))
        while open_streams:
            seen = shared.get()
            open_streams -= seen[1] is None
            yield seen

    def _time(self, seen: Seen) -> float:
        return float("-inf") if seen[1] is None else seen[1].time + self._offsets[seen[0]]

    def _read(self, name: str) -> None:
        error: MienError | None = None
        look_ahead = LookAhead(self._looks, 1)
        try:
            with closing(look_ahead(self._streams[name])) as looked:
                for frame, found in looked:
                    if not self._put(name, (name, frame, found, None)):
                        return
            error = look_ahead.broken
        except Exception as problem:  # the main thread is told, whatever it was
            error = problem if isinstance(problem, MienError) else MienError(repr(problem), code="internal")
        self._put(name, (name, None, [], error))

    def _put(self, name: str, seen: Seen) -> bool:
        """Hands over; False where nobody wants it any more."""
        while not self._stop.is_set():
            try:
                self._queues[name].put(seen, timeout=_PATIENCE)
            except queue.Full:
                continue
            return True
        return False
