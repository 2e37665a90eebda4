"""Which square around a body a pose network takes: turned so that the body stands upright in it.

Bazarevsky and others: "BlazePose: On-device Real-time Body Pose Tracking", 2020. MediaPipe's pose detection says where
the middle of the hips is and a point on the circle around the whole body, above the head of one who stands upright.
That holds for people cut off at the waist and for people who lie. Where it is unsure, as with people of few pixels,
the box of the person is taken, for one who stands upright.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.media.warping import warp
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.records import Float32, Image, Person

_CONTEXT = 1.25
"""Side of the square in sides of what it is around, as in MediaPipe's graph."""
_SIZE = 224
_LEAST_SCORE = 0.7
"""From which the network is believed; below it boxes gave the better skeletons on the PETS clip."""
_GRIDS = ((8, 2), (16, 2), (32, 6))
"""Strides of the network's grids, and how many rows of its output each cell has."""


class BodyRegions:
    """Squares around bodies, upright; safe to call from several threads."""

    def __init__(self) -> None:
        self._session = Session(default("body-region"))
        self._anchors = _anchors()

    def __call__(self, image: Image, people: Sequence[Person], size: int) -> list[Float32]:
        """The similarities `(2, 3)` that take the people of a picture to upright squares of `size` pixels a side."""
        if not people:
            return []
        looks = [box_square(person.box, _SIZE) for person in people]
        outputs = self._session(np.stack([warp(image, look, _SIZE) for look in looks]))
        squares = []
        for person, look, rows, odds in zip(people, looks, outputs["Identity"], outputs["Identity_1"], strict=True):
            scores = 1 / (1 + np.exp(-np.clip(odds[:, 0], -30, 30)))
            inverse = cv2.invertAffineTransform(look)
            hips, circle = ((rows[:, at : at + 2] + self._anchors) @ inverse[:, :2].T + inverse[:, 2] for at in (4, 6))
            scores = np.where(_belongs(hips, person.box), scores, 0)
            best = int(scores.argmax())
            if scores[best] < _LEAST_SCORE:
                squares.append(box_square(person.box, size))
                continue
            x, y = (circle[best] - hips[best]).tolist()
            squares.append(_square(hips[best], 2 * float(np.hypot(x, y)), float(np.arctan2(x, -y)), size))
        return squares


def box_square(box: Float32, size: int) -> Float32:
    """The similarity `(2, 3)` that takes the surroundings of a box to a square of `size` pixels a side, not turned."""
    return _square((box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max()), 0.0, size)


def _belongs(hips: Float32, box: Float32) -> NDArray[np.bool_]:
    """Which hips `(N, 2)` can be those of the person in the box, and not a neighbour's: inside, or below of one who is
    cut off at the waist."""
    left, top, right, bottom = box.tolist()
    x, y = hips.T
    return (x >= left) & (x <= right) & (y >= top) & (y <= bottom + (bottom - top) / 2)


def _square(centre: NDArray[Any], length: float, angle: float, size: int) -> Float32:
    """For something of a length in pixels whose upper side looks `angle` radians clockwise from the picture's."""
    scale = size / max(length * _CONTEXT, 1e-3)
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[cos, sin], [-sin, cos]])
    return np.column_stack([linear, size / 2 - linear @ centre]).astype(np.float32)


def _anchors() -> Float32:
    """The pixels `(2254, 2)` that the rows of the network's output count from: the middles of its cells."""
    middles = []
    for stride, rows in _GRIDS:
        y, x = np.mgrid[: _SIZE // stride, : _SIZE // stride]
        middles.append(np.repeat((np.stack([x, y], -1).reshape(-1, 2) + 0.5) * stride, rows, axis=0))
    return np.concatenate(middles).astype(np.float32)
