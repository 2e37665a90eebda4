"""What happens to people across cameras, as one JSON object a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mien.cameras.identities import Decision
from mien.cameras.recent import Tracklet
from mien.scene.events import SCHEMA

SITE_EVENTS = ("first_seen", "seen_again", "camera_lost", "clock_wrong")
"""What a site tells besides the events of its cameras' tracks."""


def decision_event(decision: Decision, tracklet: Tracklet, *, time: float, track_id: int) -> dict[str, Any]:
    """`first_seen` or `seen_again`: whom a track that has ended shows.

    Args:
        decision: as `Identities.add` gave it.
        tracklet: on the cameras' common clock.
        time: seconds of the common clock at which it was decided.
        track_id: of the camera's track events.

    Returns:
        With everything that a table of trajectories needs, also after some merges were undone.
    """
    record: dict[str, Any] = {
        "event": "first_seen" if decision.merge is None else "seen_again",
        "time": round(time, 3),
        "camera": tracklet.camera,
        "person": decision.person,
        "tracklet": decision.tracklet,
        "track_id": track_id,
        "start": round(tracklet.start, 3),
        "end": round(tracklet.end, 3),
        "confidence": round(decision.confidence, 4),
    }
    if decision.subject is not None:
        record["subject"] = decision.subject
    if decision.merge is not None:
        record |= {
            "from": decision.came_from,
            "seconds": round(decision.seconds or 0.0, 3),
            "merge_id": decision.merge.merge_id,
            "joined_to": decision.merge.earlier,
            "appearance": round(decision.merge.appearance, 3),
            "travel": round(decision.merge.travel, 3),
        }
    return record | {"stream": tracklet.camera, "schema": SCHEMA}


def camera_event(name: str, camera: str, time: float, **facts: Any) -> dict[str, Any]:
    """`camera_lost` (with `code` and `reason`) or `clock_wrong` (with `ahead` and `sightings`)."""
    return {"event": name, "time": round(time, 3), "camera": camera, **facts, "stream": camera, "schema": SCHEMA}


def site_line(record: Mapping[str, Any]) -> str:
    """An event of this module as a short line of text.

    Example:
        >>> site_line({"event": "first_seen", "time": 3.2, "person": 7, "camera": "door", "confidence": 0.9})
        '     3.20 s  person 7    new in door (0.90)'
    """
    head = f"{record['time']:9.2f} s  "
    if record["event"] == "camera_lost":
        return f"{head}{record['camera']}: lost, {record['reason']}"
    if record["event"] == "clock_wrong":
        return (
            f"{head}{record['camera']}: its clock seems {record['ahead']:+.1f} s off; clock_offset "
            f"{record['add_to_clock_offset']:+.1f} would put it right ({record['sightings']} sightings)"
        )
    way = f"new in {record['camera']}"
    if record["event"] == "seen_again":
        way = f"{record['from']} > {record['camera']}, merge {record['merge_id']}"
    name = f" {record['subject']}" if record.get("subject") else ""
    return f"{head}person {record['person']:<4}{name} {way} ({record['confidence']:.2f})"
