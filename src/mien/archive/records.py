"""What the archive keeps of a video: its file, and each person who was followed in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mien.records import Float32


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """One moment of a track at which the person was seen well.

    Attributes:
        time: seconds from the start of the video.
        box: `xyxy` float32 `(4,)` in the video's pixels.
        worth: in [0, 1], how much the shot shows.
        jpeg: the body, at most `mien.archive.shots.HEIGHT` pixels high.
    """

    time: float
    box: Float32
    worth: float
    jpeg: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A stretch of a video in which one person was followed without a gap.

    Attributes:
        track_id: number of the person in the video; several stretches may have it.
        began, ended: seconds of the first and of the last frame in which the person was seen.
        frames: in how many frames the person was seen.
        shots: one to three, best first.
        path: float32 `(P, 5)`: seconds and box `xyxy` at some moments in order, the first and the last among them.
        probabilities: mean confidence in [0, 1] of each attribute over the shots.
        upper, lower: share of the shots in which the clothes above and below the waist have each colour.
        features: float32 `(R, D)`, L2-normalized: the mean of the person's looks, then that of each shot.
    """

    track_id: int
    began: float
    ended: float
    frames: int
    shots: list[Shot]
    path: Float32
    probabilities: dict[str, float]
    upper: dict[str, float]
    lower: dict[str, float]
    features: Float32


@dataclass(frozen=True, slots=True)
class Video:
    """A video of the archive.

    Attributes:
        number: how the archive counts it.
        path: where the file was when it was last named.
        seconds: time of its last frame.
        frames: how many there were.
        people: how many were followed in it.
        model: embedder of its looks.
        fingerprint: of that embedder.
        indexed_at: when, UTC.
    """

    number: int
    path: str
    seconds: float
    frames: int
    people: int
    model: str
    fingerprint: bytes = field(repr=False)
    indexed_at: datetime

    def to_dict(self) -> dict[str, Any]:
        """The video as a JSON object."""
        return {
            "number": self.number,
            "video": self.path,
            "seconds": round(self.seconds, 3),
            "frames": self.frames,
            "people": self.people,
            "model": self.model,
            "indexed_at": self.indexed_at.isoformat(timespec="seconds"),
        }
