"""Lines and zones of a camera's picture drawn into a frame, each with what was counted at it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.drawing.text import Colour, label_bitmap
from mien.records import Image

Points = NDArray[np.float64]
"""`(K, 2)`: x, y in fractions of the picture's width and height."""

_LINE: Colour = (255, 255, 255)
_ZONE: Colour = (120, 200, 255)
_INK: Colour = (0, 0, 0)
_COVER = 0.14


def draw_line(image: Image, ends: Points, text: str) -> None:
    """Draws a directed line `(2, 2)`, in place, with an arrow to its forward side and a caption at its start.

    On a line drawn from top to bottom the forward side is the right one.
    """
    size = np.array(image.shape[1::-1])
    start, end = ends * size
    line = max(1, round(min(image.shape[:2]) / 240))
    along = (end - start) / max(float(np.hypot(*(end - start))), 1e-6)
    middle = (start + end) / 2
    tip = middle + np.array([along[1], -along[0]]) * min(image.shape[:2]) / 14
    for colour, thick in ((_INK, line + 2), (_LINE, line)):
        cv2.line(image, _pixel(start), _pixel(end), colour, thick, cv2.LINE_AA)
        cv2.arrowedLine(image, _pixel(middle), _pixel(tip), colour, thick, cv2.LINE_AA, tipLength=0.4)
    _draw_text(image, start, text, _LINE)


def draw_zone(image: Image, polygon: Points, text: str) -> None:
    """Tints a zone `(K, 2)`, in place, and captions it at its topmost corner."""
    corners = (polygon * np.array(image.shape[1::-1])).round().astype(np.int32)
    line = max(1, round(min(image.shape[:2]) / 360))
    left, top, width, height = cv2.boundingRect(corners)
    part = image[max(top, 0) : top + height, max(left, 0) : left + width]
    tinted = part.copy()
    cv2.fillPoly(tinted, [corners - [max(left, 0), max(top, 0)]], _ZONE)
    cv2.addWeighted(tinted, _COVER, part, 1 - _COVER, 0, part)
    cv2.polylines(image, [corners], True, _INK, line + 2, cv2.LINE_AA)
    cv2.polylines(image, [corners], True, _ZONE, line, cv2.LINE_AA)
    _draw_text(image, corners[corners[:, 1].argmin()].astype(np.float64), text, _ZONE)


def _draw_text(image: Image, at: NDArray[np.float64], text: str, paper: Colour) -> None:
    height, width = image.shape[:2]
    bitmap = label_bitmap(text, max(10, round(min(height, width) / 36)), _INK, paper)
    left = int(np.clip(at[0] + 3, 0, max(width - bitmap.shape[1], 0)))
    top = int(np.clip(at[1] + 3, 0, max(height - bitmap.shape[0], 0)))
    patch = image[top : top + bitmap.shape[0], left : left + bitmap.shape[1]]
    patch[:] = bitmap[: patch.shape[0], : patch.shape[1]]


def _pixel(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
