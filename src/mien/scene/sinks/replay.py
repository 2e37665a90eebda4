"""Events that were written down: read again, checked, and given out at the pace at which they happened."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

from mien.errors import BadInputError, UsageError
from mien.media.files import check_file, shown, unreadable
from mien.scene.events import SCHEMA

_log = logging.getLogger("mien.scene")

_NO_EVENTS = {"summary", "truth"}
"""Keys of objects that stand in files of events without being one."""


def read_events(path: str | os.PathLike[str]) -> Iterator[dict[str, Any]]:
    """The events of a file of JSON lines, one after the other, as they were written.

    Empty lines, the summary at the end of `mien watch --json` and the head of a truth file are passed over. A last
    line that was cut off, as by a power failure, is left out with a warning.

    Args:
        path: written by `mien watch --events` or from its `--json`.

    Raises:
        BadInputError: `file_missing`, `file_is_directory`, `file_unreadable`; `event_file_invalid`: a line is no
            event; `event_schema_unknown`: it was written by a newer version. The message names the line.
    """
    path, _ = check_file(path)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        _log.warning("%s, line %d: was cut off and is left out", shown(path), number)
                        return
                    raise _invalid(path, number, f"is no JSON in UTF-8 ({error})") from error
                if isinstance(record, dict) and "event" not in record and not _NO_EVENTS.isdisjoint(record):
                    continue
                _check(record, path, number)
                yield record
    except OSError as error:
        raise unreadable(path, error) from error


def paced(records: Iterable[dict[str, Any]], speed: float) -> Iterator[dict[str, Any]]:
    """The same events, each when its time has come.

    Args:
        records: events in the order of their times; where time goes back, as at the start of another recording, the
            clock is set anew.
        speed: how many times faster than they happened, > 0; `inf` does not wait.

    Raises:
        UsageError: `speed_out_of_range`.
    """
    if not speed > 0:
        raise UsageError(f"speed = {speed}; give a number above 0, such as 1 or 60", code="speed_out_of_range")
    start, first, last = time.monotonic(), None, -math.inf
    for record in records:
        moment = record["time"]
        if first is None or moment < last:
            start, first = time.monotonic(), moment
        last = moment
        wait = start + (moment - first) / speed - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        yield record


def _check(record: Any, path: str | os.PathLike[str], number: int) -> None:
    if not isinstance(record, dict) or not isinstance(record.get("event"), str):
        raise _invalid(path, number, "is no event: an object with the key event is expected")
    moment = record.get("time")
    if isinstance(moment, bool) or not isinstance(moment, int | float) or not math.isfinite(moment):
        raise _invalid(path, number, f"has the time {moment!r}; a number of seconds is expected")
    schema = record.get("schema", SCHEMA)
    if isinstance(schema, bool) or not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise BadInputError(
            f"{shown(path)}, line {number}: has version {schema!r} of the form of events; this mien knows 1 to "
            f"{SCHEMA}: read it with the mien that wrote it, or a newer one",
            code="event_schema_unknown",
        )


def _invalid(path: str | os.PathLike[str], number: int, reason: str) -> BadInputError:
    return BadInputError(f"{shown(path)}, line {number}: {reason}", code="event_file_invalid")
