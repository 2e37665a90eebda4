"""People who are followed, drawn into a frame: a box, the way to it, a number and a name.

Each track has a colour of its own that it keeps; boxes are told apart as those of faces are (see `annotate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.drawing.annotate import Label
from mien.drawing.captions import draw_caption
from mien.drawing.text import Colour, label_bitmap
from mien.records import Image, Person

Trail = Sequence[tuple[float, float]]
"""Where a track's foot was, oldest first: x, y in pixels."""

_INK: Colour = (0, 0, 0)
_PALETTE: tuple[Colour, ...] = (
    # Okabe and Ito's colours, light enough for black letters, then lighter ones in between
    *((86, 180, 233), (240, 160, 20), (0, 178, 135), (240, 228, 66), (235, 120, 40), (224, 141, 187)),
    *((160, 215, 250), (255, 205, 130), (130, 220, 190), (200, 190, 250)),
)


def colour_of(track_id: int) -> Colour:
    """The colour of a track; neighbouring numbers differ."""
    return _PALETTE[track_id % len(_PALETTE)]


def draw_tracks(
    image: Image, people: Sequence[Person], labels: Sequence[Label], trails: Mapping[int, Trail] | None = None
) -> None:
    """Draws people who are followed, in place.

    Args:
        image: RGB uint8 `(H, W, 3)`, writeable and C-contiguous.
        people: each with its `track_id`; boxes may reach outside of the picture.
        labels: what is known of each: a recognized person is captioned with the name.
        trails: by track, where its foot was.

    Example:
        >>> canvas = np.zeros((90, 120, 3), np.uint8)
        >>> walker = Person(np.float32([20, 20, 50, 80]), 0.9, track_id=3)
        >>> draw_tracks(canvas, [walker], [Label("recognized", "Ada", 0.8)], {3: [(5, 80), (35, 80)]})
        >>> bool(canvas.any())
        True
    """
    height, width = image.shape[:2]
    line = max(1, round(min(height, width) / 300))
    size = max(10, round(min(height, width) / 36))
    for track_id, trail in (trails or {}).items():
        _draw_trail(image, trail, colour_of(track_id), line)
    boxes = [_corners(person, width, height) for person in people]
    for person, corners in zip(people, boxes, strict=True):
        left, top, right, bottom = corners
        cv2.rectangle(image, (left, top), (right, bottom), _INK, line + 2)
        cv2.rectangle(image, (left, top), (right, bottom), colour_of(person.track_id or 0), line)
    taken: list[tuple[int, int, int, int]] = []
    for person, label, corners in zip(people, labels, boxes, strict=True):
        bitmap = label_bitmap(_caption(person, label), size, _INK, colour_of(person.track_id or 0))
        draw_caption(image, corners, bitmap, line, taken)


def _caption(person: Person, label: Label) -> str:
    if label.state == "recognized":
        return f"#{person.track_id} {label.subject}"
    return f"#{person.track_id} unknown" if label.state == "unknown" else f"#{person.track_id}"


def _corners(person: Person, width: int, height: int) -> tuple[int, int, int, int]:
    """The box in whole pixels, cut not far outside of the picture: OpenCV draws 16-bit coordinates safely."""
    left, top, right, bottom = np.clip(person.box, -64, [width + 64, height + 64] * 2).round().astype(int).tolist()
    return left, top, right, bottom


def _draw_trail(image: Image, trail: Trail, colour: Colour, line: int) -> None:
    """Thicker towards where the track is now."""
    points: NDArray[np.int32] = np.clip(np.array(trail, np.float64), -1e4, 1e4).round().astype(np.int32)
    for part, (start, end) in enumerate(pairwise(points), 1):
        thick = max(1, round(2 * line * part / len(points)))
        cv2.line(image, start.tolist(), end.tolist(), colour, thick, cv2.LINE_AA)
