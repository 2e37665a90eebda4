"""Findings drawn into a picture: boxes, landmarks, and labels that say who it is.

Three states are told apart by shape as well as by colour: a recognized face has a full box, an unknown one four
corners, an undecided one a thin dashed box. The colours are sky blue, orange and grey of the palette for all kinds of
colour vision by Okabe and Ito ("Color Universal Design", 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from mien.drawing.captions import draw_caption
from mien.drawing.text import Colour, label_bitmap
from mien.errors import UsageError
from mien.records import Face, Image

State = Literal["recognized", "unknown", "undecided"]

STATE_COLOURS: dict[State, Colour] = {
    "recognized": (86, 180, 233),
    "unknown": (240, 160, 20),
    "undecided": (205, 205, 205),
}
FOUND_COLOUR: Colour = (240, 228, 66)
"""Of a face that nobody has compared with anything."""
_INK: Colour = (0, 0, 0)
_SMALLEST_WITH_LANDMARKS = 24


@dataclass(frozen=True, slots=True)
class Label:
    """What is known about whose face it is.

    Attributes:
        state: `recognized` (a subject of the gallery), `unknown` (nobody of the gallery) or `undecided` (not yet seen
            well enough to ask).
        subject: the subject's name, shown where the face is recognized.
        similarity: cosine in [-1, 1] of the best match, shown where the face is recognized.
    """

    state: State
    subject: str = ""
    similarity: float | None = None


def draw_faces(image: Image, faces: Sequence[Face], labels: Sequence[Label] | None = None) -> Image:
    """A copy of a picture with its faces marked; line width and letters grow with the picture.

    Args:
        image: RGB uint8 `(H, W, 3)` of any size; not changed.
        faces: what was found in it; boxes may reach outside.
        labels: one for each face; without it each face is captioned with its age and gender, where it has them.

    Returns:
        RGB uint8 `(H, W, 3)`.

    Raises:
        UsageError: `labels` and `faces` have different lengths.

    Example:
        >>> import numpy as np
        >>> face = Face(np.float32([20, 20, 60, 70]), 0.9, np.full((5, 2), 40, np.float32), track_id=3)
        >>> draw_faces(np.zeros((90, 120, 3), np.uint8), [face], [Label("recognized", "Ada", 0.81)]).shape
        (90, 120, 3)
    """
    drawn = np.array(image, order="C")
    annotate(drawn, faces, labels)
    return drawn


def annotate(image: Image, faces: Sequence[Face], labels: Sequence[Label] | None = None) -> None:
    """`draw_faces` in place, for video; `image` must be writeable and C-contiguous."""
    if labels is not None and len(labels) != len(faces):
        raise UsageError(
            f"{len(labels)} labels were given for {len(faces)} faces; give one label a face", code="labels_mismatch"
        )
    height, width = image.shape[:2]
    line = max(1, round(min(height, width) / 300))
    size = max(11, round(min(height, width) / 36))
    taken: list[tuple[int, int, int, int]] = []
    captions = []
    for number, face in enumerate(faces):
        corners = _pixels(face, width, height)
        if corners is None:
            continue
        label = labels[number] if labels is not None else None
        colour = STATE_COLOURS[label.state] if label else FOUND_COLOUR
        fitting = max(1, min(line, (corners[2] - corners[0]) // 20))
        _OUTLINES[label.state if label else "recognized"](image, corners, colour, fitting)
        _draw_points(image, face, colour, fitting)
        text = _caption(face, label)
        if text:
            captions.append((corners, text, colour))
    for corners, text, colour in captions:  # after all boxes, so that no line runs through a name
        draw_caption(image, corners, label_bitmap(text, size, _INK, colour), line, taken)


def _pixels(face: Face, width: int, height: int) -> tuple[int, int, int, int] | None:
    """The box in whole pixels, cut not far outside the picture: OpenCV draws 16-bit coordinates safely."""
    if not np.isfinite(face.box).all():
        return None
    margin = 2 * max(width, height)
    x0, y0, x1, y1 = (
        round(float(np.clip(value, -margin, limit + margin)))
        for value, limit in zip(face.box, (width, height) * 2, strict=True)
    )
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def _caption(face: Face, label: Label | None) -> str:
    parts = [] if face.track_id is None else [f"#{face.track_id}"]
    if label is None:
        parts += [face.gender] if face.gender else []
        parts += [f"{face.age:.0f}"] if face.age is not None else []
    elif label.state == "recognized":
        parts += [label.subject] + ([f"{label.similarity:.2f}"] if label.similarity is not None else [])
    elif label.state == "unknown":
        parts.append("unknown")
    return " ".join(parts)


def _full(image: Image, corners: tuple[int, int, int, int], colour: Colour, line: int) -> None:
    x0, y0, x1, y1 = corners
    cv2.rectangle(image, (x0, y0), (x1, y1), _INK, line + 2)  # a dark rim keeps it crisp on any background
    cv2.rectangle(image, (x0, y0), (x1, y1), colour, line)


def _corners(image: Image, corners: tuple[int, int, int, int], colour: Colour, line: int) -> None:
    x0, y0, x1, y1 = corners
    arm = max(2, min(x1 - x0, y1 - y0) // 4)
    for x, to_x in ((x0, arm), (x1, -arm)):
        for y, to_y in ((y0, arm), (y1, -arm)):
            path = np.array([[x + to_x, y], [x, y], [x, y + to_y]], np.int32)
            cv2.polylines(image, [path], False, _INK, line + 2)
            cv2.polylines(image, [path], False, colour, line)


def _dashed(image: Image, corners: tuple[int, int, int, int], colour: Colour, line: int) -> None:
    x0, y0, x1, y1 = corners
    thin, dash = max(1, line // 2), max(3, 5 * line)
    cv2.rectangle(image, (x0, y0), (x1, y1), _INK, thin + 2)
    for x in range(x0, x1, 2 * dash):
        for y in (y0, y1):
            cv2.line(image, (x, y), (min(x + dash, x1), y), colour, thin)
    for y in range(y0, y1, 2 * dash):
        for x in (x0, x1):
            cv2.line(image, (x, y), (x, min(y + dash, y1)), colour, thin)


_OUTLINES: dict[State, Callable[[Image, tuple[int, int, int, int], Colour, int], None]] = {
    "recognized": _full,
    "unknown": _corners,
    "undecided": _dashed,
}


def _draw_points(image: Image, face: Face, colour: Colour, line: int) -> None:
    if face.box[2] - face.box[0] < _SMALLEST_WITH_LANDMARKS:
        return
    height, width = image.shape[:2]
    if face.mesh is not None:
        x, y = np.nan_to_num(face.mesh[:, :2], nan=-1).clip(-1, 1 << 24).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
        image[y[inside], x[inside]] = colour
    for x, y in np.nan_to_num(face.landmarks, nan=-9).clip(-9, 1 << 14).round().astype(int).tolist():
        cv2.circle(image, (x, y), line + 1, _INK, -1, cv2.LINE_AA)
        cv2.circle(image, (x, y), line, colour, -1, cv2.LINE_AA)
