"""Age and sex of the faces of a stream: read from the good shots of a track, not once a frame."""

from __future__ import annotations

from collections.abc import Sequence

from mien.face.age_gender import AgeGenderEstimator
from mien.face.quality import quality_bound
from mien.records import Face, Image
from mien.scene.recognizer import Trace
from mien.tracking.best_shot import BestShots

_GOOD = 0.3
"""From this bound of quality on a face is sure and frontal enough to be read at once."""
_SMALLEST = 24.0
"""Width in pixels from which on a face is read. On 317 adults of the UTKFace sample, made smaller, the sex is right for
95.6% at full size, 94.0% at this width, and 88.3% at 14 pixels; the age's mean error is 7.7, 8.2 and 9.3 years."""


class AgesAndSexes:
    """Reads each track's first good shot, and clearly better ones after it; three times at most.

    Size, pose and score of the face decide (`quality_bound`): no pixel is read before the network reads them.
    """

    def __init__(self) -> None:
        self._estimate = AgeGenderEstimator()
        self._shots = BestShots(minimum=_GOOD)

    def look(self, image: Image, faces: Sequence[Face], traces: Sequence[Trace]) -> None:
        """Takes the tracked faces of one frame, `faces[i]` belonging to `traces[i]`, whose `readings` may grow."""
        due = [
            (face, trace)
            for face, trace in zip(faces, traces, strict=True)
            if face.box[2] - face.box[0] >= _SMALLEST and self._shots.offer(face.track_id or 0, quality_bound(face))
        ]
        read = self._estimate(image, [face for face, _ in due])
        for (_, trace), reading in zip(due, read, strict=True):
            trace.readings.append(reading)

    def forget(self, track_id: int) -> None:
        """A track that has ended."""
        self._shots.forget(track_id)
