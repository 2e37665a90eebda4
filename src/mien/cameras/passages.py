"""What is kept of each track until it ends: when it was seen, and its few best shots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mien.geometry import box_area
from mien.records import Float32, Frame, Image, Person

SHOTS = 4
"""Shots of a track whose features are averaged."""

_SPACING_SECONDS = 0.5
_CLEAR = 0.15  # share of a box inside another one up to which a shot shows one person

Crop = Callable[[Image, Person], Image]


@dataclass(slots=True)
class Passage:
    """A track so far.

    Attributes:
        start, end: seconds of the stream at which it was first and last seen.
        shots: (worth, time, crop) of its best shots.
    """

    start: float
    end: float
    shots: list[tuple[float, float, Image]] = field(default_factory=list)

    def offer(self, worth: float, time: float, crop: Callable[[], Image]) -> None:
        """Keeps a shot if it is among the best; of shots close in time the better one stays."""
        close = next((at for at, shot in enumerate(self.shots) if abs(shot[1] - time) < _SPACING_SECONDS), None)
        if close is None and len(self.shots) == SHOTS:
            close = min(range(SHOTS), key=lambda at: self.shots[at][0])
        if close is None:
            self.shots.append((worth, time, crop()))
        elif worth > self.shots[close][0]:
            self.shots[close] = (worth, time, crop())


class Passages:
    """The passages of one camera.

    Args:
        crop: cuts a person out of a picture, as the embedder has it.
    """

    def __init__(self, crop: Crop) -> None:
        self._crop = crop
        self._open: dict[int, Passage] = {}

    def update(self, frame: Frame, people: Sequence[Person]) -> None:
        """Takes the tracked people of a frame."""
        worth = shot_worth(np.array([person.box for person in people], np.float32).reshape(-1, 4), frame.image.shape)
        for person, value in zip(people, worth.tolist(), strict=True):
            passage = self._open.setdefault(person.track_id or 0, Passage(frame.time, frame.time))
            passage.end = frame.time
            passage.offer(value * person.score, frame.time, partial(self._crop, frame.image, person))

    def end(self, track_id: int) -> Passage | None:
        """The passage of a track that has ended; None where it was never seen."""
        return self._open.pop(track_id, None)


def shot_worth(boxes: Float32, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """How well each of the boxes of a frame shows one whole person: `(N,)`, about the height in pixels at best.

    Args:
        boxes: `xyxy` `(N, 4)` in pixels.
        shape: of the picture, height first.
    """
    height, width = shape[:2]
    inside = boxes.clip(0, [width, height, width, height])
    area = np.maximum(box_area(boxes), 1)
    whole = box_area(inside) / area
    corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    size = np.maximum(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner, 0)
    shared = size.prod(2) / area[:, None]
    np.fill_diagonal(shared, 0)
    hidden = shared.max(1, initial=0)
    worth = np.sqrt(area) * whole**2 * np.where(hidden <= _CLEAR, 1.0, 0.2 * (1 - hidden))
    return np.asarray(np.maximum(worth, 1e-3), np.float64)
