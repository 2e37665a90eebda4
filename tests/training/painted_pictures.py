"""Pictures whose objects can be found again by their colour, and learned in seconds."""

from __future__ import annotations

import cv2
import numpy as np

from mien.errors import BadInputError
from mien.training.data.boxed_pictures import Boxes


class PaintedPictures:
    """Grey pictures of 200 to 500 pixels a side with three red rectangles each, whose landmarks are the middles of the
    rectangle's quarters and its own; a source as detectors learn from."""

    forbidden = None

    def __init__(self, count: int = 6, broken: tuple[int, ...] = (), seed: int = 5) -> None:
        random = np.random.default_rng(seed)
        self.labels: dict[str, np.ndarray] = {}
        self.broken = broken
        self.made = [_painted(random) for _ in range(count)]

    def __len__(self) -> int:
        return len(self.made)

    def name(self, index: int) -> str:
        return f"picture {index}"

    def picture(self, index: int) -> np.ndarray:
        if index in self.broken:
            raise BadInputError("broken", code="picture_truncated")
        return self.made[index][0]

    def objects(self, index: int) -> Boxes:
        return self.made[index][1]


def _painted(random: np.random.Generator) -> tuple[np.ndarray, Boxes]:
    height, width = int(random.integers(200, 500)), int(random.integers(200, 500))
    image = np.full((height, width, 3), 40, np.uint8)
    boxes = []
    for column in range(3):
        left = width * column // 3 + int(random.integers(5, 15))
        top = int(random.integers(10, height // 2))
        right, bottom = left + int(random.integers(30, 50)), top + int(random.integers(30, 90))
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), (255, 0, 0), -1)
        boxes.append([left, top, right, bottom])
    box = np.array(boxes, np.float32)
    share = np.array([[0.25, 0.25], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75], [0.75, 0.75]], np.float32)
    return image, Boxes(box, np.zeros(3, bool), box[:, None, :2] + share * (box[:, None, 2:] - box[:, None, :2]))
