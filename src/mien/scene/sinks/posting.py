"""One HTTP POST after the other to one address, over one connection that is kept open."""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from mien.errors import BadInputError, MienError, MissingError, UsageError

_TIMEOUT = 10.0
_PASSING = {408, 425, 429}  # RFC 9110, 8470, 6585: later it may be taken
_SAFE = "!$%&'()*+,-./:;=?@_~"
_LONGEST_ANSWER = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a POST.

    Attributes:
        status: of the answer; None where there was none.
        reason: the status in words with the beginning of the body, or why there was no answer.
        retry_after: seconds that the receiver asks to wait for.
    """

    status: int | None
    reason: str
    retry_after: float | None = None

    @property
    def is_taken(self) -> bool:
        """The receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_passing(self) -> bool:
        """Later it may be taken."""
        return self.status is None or self.status in _PASSING or self.status >= 500


class Poster:
    """Posts JSON to one address; for one thread.

    Args:
        url: `http` or `https`.

    Attributes:
        shown: the address without user, password and query, for messages.

    Raises:
        UsageError: `webhook_url_invalid`.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise _invalid(str(error)) from error
        if parts.scheme not in ("http", "https"):
            raise _invalid(f"its scheme is {parts.scheme!r}")
        if not host or not host.isprintable() or " " in host:
            raise _invalid("it names no host")
        self.shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._target = quote(parts.path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
        self._headers = {"Content-Type": "application/json", "User-Agent": "mien"}
        if parts.username is not None:
            account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + b64encode(account.encode()).decode()
        self._connection: http.client.HTTPConnection = (
            http.client.HTTPSConnection(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
        )

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends once, or twice over a connection that was kept and turns out to be closed by now.

        Whatever happens on the way is an answer, too.
        """
        try:
            response = self._sent(body, {**self._headers, **headers})
            said = response.read(1 << 16)
            if response.isclosed():
                retry_after = response.getheader("Retry-After", "")
                location = response.getheader("Location")
            else:  # a body without end is not read; the next POST needs a new connection
                retry_after, location = "", None
                self._connection.close()
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self._connection.close()
            return Answer(None, f"no answer ({error or type(error).__name__})")
        text = said.decode("utf-8", "replace").strip()
        words = f"it answered {response.status} {response.reason}"
        words += f", redirecting to {location}" if location else f": {text[:_LONGEST_ANSWER]}" if text else ""
        printable = "".join(character if character.isprintable() else " " for character in words)
        return Answer(response.status, printable, float(retry_after) if retry_after.isdecimal() else None)

    def _sent(self, body: bytes, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        was_kept = self._connection.sock is not None
        try:
            self._connection.request("POST", self._target, body, headers)
            return self._connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            self._connection.close()
            if not was_kept:
                raise
        self._connection.request("POST", self._target, body, headers)
        return self._connection.getresponse()

    def failed(self, answer: Answer, *, attempts: int, taken: int) -> MienError:
        """The error of an event that was not taken, the first after `taken` others."""
        rest = f"{taken} event(s) were taken before; send the same events again when it is put right: those that were "
        rest += "taken carry the same Idempotency-Key"
        if answer.is_passing:
            return MissingError(
                f"{self.shown} does not take event {taken + 1}: {answer.reason}, {attempts} time(s); {rest}",
                code="webhook_unreachable",
            )
        return BadInputError(
            f"{self.shown} refused event {taken + 1}: {answer.reason}; check address and credentials; {rest}",
            code="webhook_refused",
        )

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


def _invalid(reason: str) -> UsageError:
    # The address itself is not repeated: it may hold a password.
    return UsageError(
        f"the address for events cannot be used: {reason}; give http://HOST[:PORT]/PATH or https://...",
        code="webhook_url_invalid",
    )
