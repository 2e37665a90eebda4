"""What a watcher tells the world: one frozen record an event, one JSON object a line.

Every event carries the version of its form, the stream it is from and that stream's time, so that a file of them can
be read, replayed and reported on without the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from mien.records import Float32, rect

SCHEMA = 1
"""Version of the form of events. Keys may be added to a version; none changes its meaning."""

TrackEventName = Literal["appeared", "recognized", "alarm", "unknown", "left"]
ZoneEventName = Literal["crossed", "entered", "exited"]
RuleEventName = Literal["intrusion", "loitering", "wrong_direction", "crowding", "running", "fall"]
EventName = TrackEventName | ZoneEventName | RuleEventName | Literal["gap"]


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """Something that happened to a track, in a zone, or to the stream.

    Attributes:
        event: `appeared` (a new track), `recognized` (it is a subject of the collection), `alarm` (the same, and the
            collection is a watch list), `unknown` (it is nobody of the collection), `left` (the track ended);
            `crossed`, `entered`, `exited` (lines and zones); the kind of a rule; `gap` (the stream was away).
        time: seconds from the stream's start; `left` is told when the track is given up, not when it was last seen.
        frame: 0-based index of the frame at that time.
        track_id: number of the track in its stream, from 1; None where it is about no single track.
        box: where it was last seen, `xyxy` `(4,)` in pixels; None where it is about no single track.
        subject: who it is, None where that is not known.
        similarity: cosine in [-1, 1] with the closest enrolled face; None before anybody was compared.
        quality: quality in [0, 1] of the track's best shot so far; None before there was one.
        duration: seconds from the track's first frame to its last one so far; None where it is about no single track.
        utc: wall-clock time, where the stream knows it.
        stream: which stream it is from: a camera's address without credentials, a recording's file name.
        facts: what else the contract says for this event, such as `line` and `direction`; JSON values.
    """

    event: EventName
    time: float
    frame: int
    track_id: int | None
    box: Float32 | None
    subject: str | None
    similarity: float | None
    quality: float | None
    duration: float | None
    utc: datetime | None = None
    stream: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The event as the contract's JSON object."""
        record: dict[str, Any] = {
            "event": self.event,
            "time": round(self.time, 3),
            "frame": self.frame,
            "track_id": self.track_id,
            "rect": None if self.box is None else rect(self.box),
            "subject": self.subject,
            "similarity": None if self.similarity is None else round(self.similarity, 4),
            "quality": None if self.quality is None else round(self.quality, 4),
            "duration": None if self.duration is None else round(self.duration, 3),
            **self.facts,
            "stream": self.stream,
            "schema": SCHEMA,
        }
        if self.utc is not None:
            record["utc"] = self.utc.isoformat(timespec="milliseconds")
        return record


def gap(seconds: float, *, time: float, frame: int, stream: str, utc: datetime | None = None) -> Event:
    """The event of a stream that came back after it was away for `seconds`; `time` and `frame` are of its return."""
    facts = {"seconds": round(seconds, 3)}
    return Event("gap", time, frame, None, None, None, None, None, None, utc, stream, facts)
