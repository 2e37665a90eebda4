"""People drawn into a picture: box, skeleton, and what they wear."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.drawing.captions import draw_caption
from mien.drawing.text import Colour, label_bitmap
from mien.person.pose import BONES
from mien.records import Attributes, Float32, Image, Person

_COLOUR: Colour = (0, 178, 135)
_BONE: Colour = (235, 120, 40)
"""Bluish green and vermilion of Okabe and Ito's palette, a little lighter under black letters and on dark clothes."""
_INK: Colour = (0, 0, 0)
_LEAST_VISIBILITY = 0.5
_WORDS = ("hat", "backpack", "bag")
"""Attributes that a caption names where the person has them."""


def draw_people(image: Image, people: Sequence[Person]) -> Image:
    """A copy of a picture with its people marked; line width and letters grow with the picture.

    Args:
        image: RGB uint8 `(H, W, 3)` of any size; not changed.
        people: what was found in it; boxes and skeletons may reach outside.

    Returns:
        RGB uint8 `(H, W, 3)`.

    Example:
        >>> walker = Person(np.float32([20, 20, 50, 80]), 0.9)
        >>> draw_people(np.zeros((90, 120, 3), np.uint8), [walker]).shape
        (90, 120, 3)
    """
    drawn = np.array(image, order="C")
    height, width = drawn.shape[:2]
    line = max(1, round(min(height, width) / 300))
    size = max(11, round(min(height, width) / 36))
    boxes = [
        # OpenCV draws 16-bit coordinates safely.
        np.clip(np.nan_to_num(person.box), -64, [width + 64, height + 64] * 2).round().astype(int).tolist()
        for person in people
    ]
    for person, (left, top, right, bottom) in zip(people, boxes, strict=True):
        cv2.rectangle(drawn, (left, top), (right, bottom), _INK, line + 2)
        cv2.rectangle(drawn, (left, top), (right, bottom), _COLOUR, line)
        if person.skeleton is not None:
            _draw_skeleton(drawn, person.skeleton, line)
    taken: list[tuple[int, int, int, int]] = []
    for person, (left, _, right, bottom) in zip(people, boxes, strict=True):
        text = _caption(person.attributes)
        if text:  # at the foot, because the head is where faces have theirs
            draw_caption(drawn, (left, bottom, right, bottom), label_bitmap(text, size, _INK, _COLOUR), line, taken)
    return drawn


def _draw_skeleton(image: Image, skeleton: Float32, line: int) -> None:
    """Bones whose two ends are seen."""
    points = np.nan_to_num(skeleton[:, :2]).clip(-(1 << 14), 1 << 14).round().astype(int).tolist()
    seen = [(start, end) for start, end in BONES if skeleton[[start, end], 3].min() >= _LEAST_VISIBILITY]
    for width, colour in ((line + 2, _INK), (line, _BONE)):
        for start, end in seen:
            cv2.line(image, points[start], points[end], colour, width, cv2.LINE_AA)


def _caption(attributes: Attributes | None) -> str:
    if attributes is None:
        return ""
    colours = [colour for colour in (attributes.upper_colour, attributes.lower_colour) if colour]
    has = [name for name in _WORDS if attributes.probabilities.get(name, 0) > 0.5]
    return ", ".join(filter(None, ["/".join(colours), *has]))
