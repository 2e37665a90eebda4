"""The findings: frozen records that analyzers make, trackers follow and galleries match.

Boxes are `xyxy` in pixels (x right, y down), float32. Angles are in degrees: yaw positive when the person turns to
the picture's right, pitch positive up, roll positive clockwise in the picture. `to_dict` gives the JSON of the
contract; a field that was not asked for is None here and absent there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Image = NDArray[np.uint8]
"""RGB uint8 `HxWx3`, C-contiguous."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a stream.

    Attributes:
        image: RGB uint8 `HxWx3`.
        index: 0-based number of the frame in its stream; gaps where a live source dropped late frames.
        time: seconds from the start of the stream.
        utc: wall-clock time of a live stream, or of a file whose start is known.
    """

    image: Image
    index: int
    time: float
    utc: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Euler angles of a head in degrees, signs as in the module's docstring."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Eyes:
    """Probability in [0, 1] that each eye is open; left and right as seen in the picture."""

    left_open: float
    right_open: float


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A feature of one face (or body), comparable only with templates of the same fingerprint.

    Attributes:
        vector: float32 `(D,)`, L2-normalized.
        fingerprint: 16 bytes naming the model and all pre-processing that shapes the space.
        quality: quality in [0, 1] of the picture that the vector came from.
    """

    vector: Float32
    fingerprint: bytes
    quality: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face in one picture.

    Attributes:
        box: `xyxy` float32 `(4,)`; may reach outside the picture.
        score: confidence of the detector in [0, 1].
        landmarks: float32 `(5, 2)`: the eye on the picture's left, the eye on its right, nose tip,
            mouth corner on the left, mouth corner on the right.
        pose, age, gender, eyes, mesh: filled when asked for; `mesh` is float32 `(468, 3)` in picture pixels.
        quality: [0, 1], 1 best; monotone with how well the face can be recognized.
        template: the feature, where one was extracted.
        track_id: number of the track the face belongs to, in video.
    """

    box: Float32
    score: float
    landmarks: Float32
    pose: HeadPose | None = None
    age: float | None = None
    gender: Literal["male", "female"] | None = None
    quality: float | None = None
    eyes: Eyes | None = None
    mesh: Float32 | None = None
    template: Template | None = None
    track_id: int | None = None

    @property
    def embedding(self) -> Float32 | None:
        """The template's vector, float32 `(D,)`, L2-normalized; None where none was extracted."""
        return None if self.template is None else self.template.vector

    @property
    def orient(self) -> int:
        """In-plane rotation of the head from the eyes, rounded to 0, 90, 180 or 270 degrees clockwise."""
        dx, dy = (self.landmarks[1] - self.landmarks[0]).tolist()
        return round(float(np.degrees(np.arctan2(dy, dx))) / 90) % 4 * 90

    def to_dict(self) -> dict[str, Any]:
        """The face as the contract's JSON object."""
        record: dict[str, Any] = {
            "rect": rect(self.box),
            "score": round(self.score, 4),
            "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in self.landmarks],
            "orient": self.orient,
        }
        if self.pose is not None:
            angles = {"yaw": self.pose.yaw, "pitch": self.pose.pitch, "roll": self.pose.roll}
            record["face_3d"] = {name: round(angle, 1) for name, angle in angles.items()}
        if self.age is not None:
            record["age"] = round(self.age, 1)
        if self.gender is not None:
            record["gender"] = self.gender
        if self.quality is not None:
            record["quality"] = round(self.quality, 4)
        if self.eyes is not None:
            record["eyes"] = {
                "left_open": round(self.eyes.left_open, 3),
                "right_open": round(self.eyes.right_open, 3),
            }
        if self.mesh is not None:
            record["mesh"] = [[round(float(value), 2) for value in point] for point in self.mesh]
        if self.track_id is not None:
            record["track_id"] = self.track_id
        return record


@dataclass(frozen=True, slots=True, eq=False)
class Attributes:
    """What a person looks like, as a network sees it.

    Attributes:
        probabilities: confidence in [0, 1] of each attribute by name, above 0.5 where the person rather has it:
            `male`, `bag`, `backpack`, `hat`, `long_sleeves`, `long_trousers`, `long_hair`, `coat`.
        upper_colour, lower_colour: name of the main colour of the clothes above and below the waist, one of the
            eleven basic colour terms; None where it could not be told.
    """

    probabilities: dict[str, float]
    upper_colour: str | None = None
    lower_colour: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The attributes as the contract's JSON object."""
        record: dict[str, Any] = {name: round(value, 3) for name, value in self.probabilities.items()}
        if self.upper_colour is not None:
            record["upper_colour"] = self.upper_colour
        if self.lower_colour is not None:
            record["lower_colour"] = self.lower_colour
        return record


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A person's body in one picture.

    Attributes:
        box: `xyxy` float32 `(4,)` around what is seen of the body; may reach outside the picture.
        score: confidence of the detector in [0, 1].
        attributes, skeleton: filled when asked for; `skeleton` is float32 `(33, 4)`: x and y in picture pixels,
            depth in pixels relative to the hips, and visibility in [0, 1].
        template: the feature of the body, where one was extracted.
        track_id: number of the track the person belongs to, in video.
    """

    box: Float32
    score: float
    attributes: Attributes | None = None
    skeleton: Float32 | None = None
    template: Template | None = None
    track_id: int | None = None

    @property
    def embedding(self) -> Float32 | None:
        """The template's vector, float32 `(D,)`, L2-normalized; None where none was extracted."""
        return None if self.template is None else self.template.vector

    def to_dict(self) -> dict[str, Any]:
        """The person as the contract's JSON object."""
        record: dict[str, Any] = {"rect": rect(self.box), "score": round(self.score, 4)}
        if self.attributes is not None:
            record["attributes"] = self.attributes.to_dict()
        if self.skeleton is not None:
            record["skeleton"] = [[round(float(value), 2) for value in point] for point in self.skeleton]
        if self.track_id is not None:
            record["track_id"] = self.track_id
        return record


@dataclass(frozen=True, slots=True)
class Match:
    """One subject that a search found.

    Attributes:
        subject: the subject's name.
        similarity: cosine in [-1, 1] of the probe with the subject's closest face.
        face_id: identifier of that face in the gallery.
    """

    subject: str
    similarity: float
    face_id: str

    def to_dict(self) -> dict[str, Any]:
        """The match as the contract's JSON object."""
        return {"subject": self.subject, "similarity": round(self.similarity, 6), "face_id": self.face_id}


def rect(box: Float32) -> dict[str, float]:
    """A `xyxy` box `(4,)` as the contract's `rect` object, in pixels to two places."""
    left, top, right, bottom = (round(float(value), 2) for value in box)
    return {"left": left, "top": top, "right": right, "bottom": bottom}
