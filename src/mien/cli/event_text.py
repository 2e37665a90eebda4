"""An event as a line for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def event_line(record: Mapping[str, Any]) -> str:
    """One event's JSON object as a short line of text.

    Example:
        >>> event_line({"event": "crossed", "time": 3.2, "track_id": 7, "line": "door", "direction": "forward"})
        '     3.20 s  track 7    crossed door forward'
    """
    who = "stream    " if record.get("track_id") is None else f"{record.get('kind', 'track')} {record['track_id']:<4}"
    parts = [str(record["event"])]
    if record.get("subject"):
        similarity = record.get("similarity")
        parts.append(str(record["subject"]) + ("" if similarity is None else f" ({similarity:.2f})"))
    parts += [str(record[key]) for key in ("line", "direction") if record.get(key)]
    name = record.get("rule") or record.get("zone")
    if name and name != record["event"]:
        parts.append(str(name))
    if record.get("phase"):
        parts.append(str(record["phase"]))
    lasted = next((record[key] for key in ("dwell", "lasted", "seconds") if record.get(key) is not None), None)
    if lasted is not None:
        parts.append(f"after {lasted:.1f} s")
    return f"{record['time']:9.2f} s  {who} {' '.join(parts)}"
