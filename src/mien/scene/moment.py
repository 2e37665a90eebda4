"""What a watcher hands out: one moment a frame, and the totals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mien.drawing.annotate import Label
from mien.records import Face, Frame, Person
from mien.scene.events import Event


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One frame and what is known at it.

    Attributes:
        frame: the frame.
        faces: the tracked faces in it, each with its `track_id`.
        labels: what is known about whose face each is.
        events: what happened at this frame.
        is_end: the stream is over; `frame` is its last one once more, with the events of the end.
        people: the tracked bodies in it, each with its `track_id`; none where bodies are not followed.
        people_labels: what is known about who each of them is, also of those who have turned away.
        counts: `lines` and `zones` of the summary so far; empty where there are none.
    """

    frame: Frame
    faces: list[Face]
    labels: list[Label]
    events: list[Event]
    is_end: bool = False
    people: list[Person] = field(default_factory=list)
    people_labels: list[Label] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Summary:
    """Totals of a stream: frames, seconds of processing, tracks, extractions, and the subjects that were recognized.

    `people` of the tracks are bodies (None where they are not followed), `counts` are the totals of lines, zones
    and rules (None where there are none), and `visits` those of the visitors of tracks that have ended.
    """

    frames: int = 0
    dropped: int = 0
    seconds: float = 0.0
    tracks: int = 0
    people: int | None = None
    extractions: int = 0
    subjects: dict[str, dict[str, Any]] = field(default_factory=dict)
    counts: dict[str, Any] | None = None
    visits: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The summary as the contract's JSON object."""
        totals = {
            "frames": self.frames,
            "dropped": self.dropped,
            "seconds": round(self.seconds, 3),
            "fps": round(self.frames / self.seconds, 2) if self.seconds else 0.0,
            "tracks": self.tracks,
            "extractions": self.extractions,
            "subjects": self.subjects,
        }
        if self.people is not None:
            totals["people"] = self.people
        if self.visits is not None:
            totals["visits"] = self.visits
        return totals | (self.counts or {})
