"""What happens to people across cameras, as one JSON object a line."""

from __future__ import annotations

from typing import Any

from mien.cameras.identities import Decision
from mien.cameras.recent import Tracklet
from mien.scene.events import SCHEMA


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
