"""Items handed from one producing thread to one reading thread, so that decoding overlaps with what uses the frames."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Handover(Generic[Item]):
    """A bounded queue that either side can end.

    Args:
        depth: items that may wait.
        newest_only: a full queue loses its oldest item instead of making the producer wait.

    Attributes:
        dropped: items that a slow reader never got.
        closed: set when the reader wants no more; a producer that waits for something else waits on this as well.
    """

    def __init__(self, depth: int, *, newest_only: bool = False) -> None:
        self.dropped = 0
        self.closed = threading.Event()
        self._depth = depth
        self._newest_only = newest_only
        self._items: deque[Item] = deque()
        self._finished = False
        self._error: BaseException | None = None
        self._changed = threading.Condition()

    def put(self, item: Item) -> bool:
        """Hand over one item; waits while the queue is full, unless only the newest counts. False: stop producing."""
        with self._changed:
            while len(self._items) >= self._depth and not self.closed.is_set():
                if self._newest_only:
                    self._items.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait()
            if self.closed.is_set():
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def finish(self, error: BaseException | None = None) -> None:
        """The producer's last call; the reader gets `error` raised after the items that wait."""
        with self._changed:
            self._finished, self._error = True, error
            self._changed.notify_all()

    def get(self) -> Item | None:
        """The next item; waits for it. None at the end or once closed."""
        with self._changed:
            while not self._items and not self._finished and not self.closed.is_set():
                self._changed.wait()
            if self._items:
                item = self._items.popleft()
                self._changed.notify_all()
                return item
            error, self._error = self._error, None
            if error is not None and not self.closed.is_set():
                raise error
            return None

    def close(self) -> None:
        """The reader's last call: what waits is let go, the producer is told to stop."""
        with self._changed:
            self.closed.set()
            self._items.clear()
            self._changed.notify_all()
