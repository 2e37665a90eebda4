"""Ctrl-C as an end that leaves nothing half done."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType


@contextmanager
def interruptible(close: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM call `close`, so that a stream ends as if it were over; a second one ends at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        # In a thread of its own: closing takes a lock that the interrupted code may hold.
        Thread(target=close, name="mien-close", daemon=True).start()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
