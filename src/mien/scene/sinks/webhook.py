"""Events to an address: one JSON POST each, in their order, again and again until it is taken."""

from __future__ import annotations

import hashlib
import json
import logging
import queue
from collections import Counter
from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self

from mien.errors import MienError
from mien.scene.sinks.posting import Answer, Poster

_log = logging.getLogger("mien.scene")

WAITING = 256
"""Events that wait to be sent at most; who writes more waits, too: nothing is lost."""
ATTEMPTS = 8
_SHORTEST, _LONGEST = 0.5, 30.0  # seconds before the second attempt, doubled each time, and before any at most
_PATIENCE = 0.2  # seconds after which a waiting thread looks whether there is a reason to stop


class Webhook:
    """Sends events to an `http` or `https` address; a context manager, whose end waits until all were taken.

    Each event is the body of one POST, `application/json`. An answer of 2xx takes it. After 408, 425, 429, any 5xx, no
    answer at all or no connection it is sent again, `ATTEMPTS` times in all, half a second later, then one, two, four
    and so on, or when `Retry-After` says. So an event can arrive twice: its header `Idempotency-Key` is the same each
    time, also when the same file is replayed once more, and another one for every other event. Redirections are not
    followed.

    Args:
        url: `http://HOST/...` or `https://...`; `USER:PASSWORD@` before the host is sent as basic authentication.
        sleep: waits so many seconds before an attempt; None can be interrupted by the end.

    Attributes:
        taken: how many events the receiver has taken.

    Raises:
        UsageError: `webhook_url_invalid`.

    Example:
        >>> with Webhook("http://127.0.0.1:8080/events") as hook:  # doctest: +SKIP
        ...     hook.write(event.to_dict())
    """

    def __init__(self, url: str, *, sleep: Callable[[float], object] | None = None) -> None:
        self._poster = Poster(url)
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(WAITING)
        self._sequence: Counter[str] = Counter()
        self._stop = Event()
        self._sleep = sleep or self._stop.wait
        self._problem: MienError | None = None
        self.taken = 0
        self._thread = Thread(target=self._send_all, name="mien-webhook", daemon=True)
        self._thread.start()

    def write(self, record: dict[str, Any]) -> None:
        """Hands one event over; waits while `WAITING` others are before it.

        Raises:
            MissingError: `webhook_unreachable`; BadInputError: `webhook_refused`. It may be about an earlier event.
        """
        stream = str(record.get("stream") or "")
        self._sequence[stream] += 1
        body = json.dumps(record, ensure_ascii=False).encode("utf-8", "replace")
        self._put((idempotency_key(stream, self._sequence[stream], body), body))

    def _put(self, item: tuple[str, bytes] | None) -> None:
        while self._problem is None:
            try:
                self._waiting.put(item, timeout=_PATIENCE)
            except queue.Full:
                continue
            return
        raise self._problem

    def _send_all(self) -> None:
        try:
            while (item := self._waiting.get()) is not None and not self._stop.is_set():
                self._send(*item)
                self.taken += 1
        except MienError as problem:
            self._problem = problem
        except Exception as problem:  # the main thread is told, whatever it was
            self._problem = MienError(f"sending to {self._poster.shown}: {problem!r}", code="internal")
        finally:
            self._poster.close()

    def _send(self, key: str, body: bytes) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            answer = self._poster.post(body, {"Idempotency-Key": key})
            if answer.is_taken or self._stop.is_set():
                return
            if not answer.is_passing or attempt == ATTEMPTS:
                raise self._poster.failed(answer, attempts=attempt, taken=self.taken)
            seconds = _pause(attempt, answer)
            _log.warning("%s: %s; again in %.1f s", self._poster.shown, answer.reason, seconds)
            self._sleep(seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:  # nobody waits for the rest: what was interrupted is to end
            self._stop.set()
            return
        self._put(None)
        while self._thread.is_alive():
            self._thread.join(_PATIENCE)
        if self._problem is not None:
            raise self._problem


def idempotency_key(stream: str, sequence: int, body: bytes) -> str:
    """What the receiver knows an event by: 32 hexadecimal digits of the stream, the number in it and the content.

    Example:
        >>> idempotency_key("door.mp4", 1, b"{}") == idempotency_key("door.mp4", 2, b"{}")
        False
    """
    head = json.dumps([stream, sequence]).encode()
    return hashlib.sha256(head + b"\0" + body).hexdigest()[:32]


def _pause(attempt: int, answer: Answer) -> float:
    asked = answer.retry_after
    return min(_LONGEST, _SHORTEST * 2 ** (attempt - 1) if asked is None else max(asked, _SHORTEST))
