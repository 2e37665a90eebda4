"""What a watcher tells the world: one frozen record an event, one JSON object a line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mien.records import Float32, rect

EventName = Literal["appeared", "recognized", "alarm", "unknown", "left"]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something that happened to a track.

    Attributes:
        event: `appeared` (a new track), `recognized` (it is a subject of the collection), `alarm` (the same, and the
            collection is a watch list), `unknown` (it is nobody of the collection), `left` (the track ended).
        time: seconds from the stream's start; `left` is told when the track is given up, not when it was last seen.
        frame: 0-based index of the frame at that time.
        track_id: number of the track in its stream, from 1.
        box: where it was last seen, `xyxy` `(4,)` in pixels.
        subject: who it is, None where that is not known.
        similarity: cosine in [-1, 1] with the closest enrolled face; None before anybody was compared.
        quality: quality in [0, 1] of the track's best shot so far; None before there was one.
        duration: seconds from the track's first frame to its last one so far.
        utc: wall-clock time, where the stream knows it.
    """

    event: EventName
    time: float
    frame: int
    track_id: int
    box: Float32
    subject: str | None
    similarity: float | None
    quality: float | None
    duration: float
    utc: datetime | None = None

    def to_dict(self) -> dict[str, Any]:
        """The event as the contract's JSON object."""
        record: dict[str, Any] = {
            "event": self.event,
            "time": round(self.time, 3),
            "frame": self.frame,
            "track_id": self.track_id,
            "rect": rect(self.box),
            "subject": self.subject,
            "similarity": None if self.similarity is None else round(self.similarity, 4),
            "quality": None if self.quality is None else round(self.quality, 4),
            "duration": round(self.duration, 3),
        }
        if self.utc is not None:
            record["utc"] = self.utc.isoformat(timespec="milliseconds")
        return record
