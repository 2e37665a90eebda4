"""Which shots of a track are kept while it goes on: the best one of each of a few equally long stretches of time.

Shots that follow each other look alike; those of different stretches show a person from different sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from mien.geometry import box_area
from mien.person.crop import body_crop
from mien.records import Float32, Frame, Image, Person

HEIGHT = 256
"""Most rows of a kept shot: what the embedders take."""
STRETCHES = 6
"""Most shots that are kept of one track."""

_FIRST_SECONDS = 1.0
_AT_BORDER = 0.7
"""Worth that is left where a body reaches the picture's border, and so may be cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A shot that is kept for now: seconds, box `xyxy` `(4,)`, worth in [0, 1], and the body, RGB uint8."""

    time: float
    box: Float32
    worth: float
    image: Image


class BestShots:
    """The best shots of one track; memory is bounded.

    The first stretches last a second; each time there are more than `STRETCHES`, two become one.

    Example:
        >>> shots = BestShots()
        >>> shots.wants(0.5, 0.3)
        True
    """

    def __init__(self) -> None:
        self._seconds = _FIRST_SECONDS
        self._began: float | None = None
        self._best: dict[int, Seen] = {}

    def wants(self, time: float, worth: float) -> bool:
        """Whether a shot would be kept: cutting it out of its frame can be saved otherwise."""
        best = self._best.get(self._stretch(time))
        return best is None or worth > best.worth

    def add(self, seen: Seen) -> None:
        """Takes a shot that is wanted; times never go back."""
        if self._began is None:
            self._began = seen.time
        self._best[self._stretch(seen.time)] = seen
        while len(self._best) > STRETCHES:
            self._seconds *= 2
            before, self._best = self._best, {}
            for one in before.values():
                if self.wants(one.time, one.worth):
                    self._best[self._stretch(one.time)] = one

    def best_first(self) -> list[Seen]:
        """What is kept, best first."""
        return sorted(self._best.values(), key=lambda seen: (-seen.worth, seen.time))

    def _stretch(self, time: float) -> int:
        return int((time - (time if self._began is None else self._began)) / self._seconds)


def worths(frame: Frame, people: list[Person]) -> Float32:
    """How much each body of a frame shows, `(N,)` in [0, 1]: sure, large, not hidden by others, not cut off."""
    if not people:
        return np.empty(0, np.float32)
    height, width = frame.image.shape[:2]
    boxes = np.array([person.box for person in people], np.float32)
    inside = np.clip(boxes, 0, (width, height, width, height))
    hidden = _covered(boxes)
    at_border = ((boxes[:, :2] <= 1) | (boxes[:, 2:] >= (width - 1, height - 1))).any(1)
    size = np.sqrt(np.maximum(inside[:, 3] - inside[:, 1], 0) / height)
    score = np.array([person.score for person in people], np.float32)
    value = score * size * (1 - hidden) * np.where(at_border, _AT_BORDER, 1)
    return np.clip(value, 0, 1).astype(np.float32)


def cut(frame: Frame, box: Float32) -> Image:
    """The body in a box, RGB uint8, at most `HEIGHT` pixels high and a quarter wider than that."""
    corners = np.clip(box, 0, np.array([frame.image.shape[1], frame.image.shape[0]] * 2))
    width, height = (corners[2:] - corners[:2]).tolist()
    scale = min(1.0, HEIGHT / max(height, width / 1.25, 1.0))
    return body_crop(frame.image, box, max(1, round(height * scale)), max(1, round(width * scale)))


def jpeg(image: Image) -> bytes:
    """An RGB uint8 picture as JPEG."""
    done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    assert done
    return data.tobytes()


def _covered(boxes: Float32) -> Any:
    """The largest share of each box `(N, 4)` that lies inside one that reaches further down: it stands in front."""
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    size = np.maximum(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner, 0)
    shared = size[..., 0] * size[..., 1] / np.maximum(box_area(boxes), 1)[:, None]
    in_front = boxes[None, :, 3] > boxes[:, None, 3]
    return np.clip((shared * in_front).max(1), 0, 1)
