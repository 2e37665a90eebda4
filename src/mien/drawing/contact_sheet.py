"""Many small pictures on one sheet, each with a caption: best shots of tracks, rank lists, groups of a clustering."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mien.drawing.text import Colour, fit_text, paint_text
from mien.errors import UsageError
from mien.records import Image

_PAPER: Colour = (250, 250, 248)
_MAT: Colour = (232, 233, 234)
_TITLE_INK: Colour = (25, 28, 32)
_SUBTITLE_INK: Colour = (105, 110, 118)
_RULE: Colour = (205, 208, 212)
_NOTHING = "nothing to show"


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One picture of a sheet.

    Attributes:
        image: RGB uint8 `(H, W, 3)` of any size; shown whole, on a grey square.
        title: caption, cut to the tile's width.
        subtitle: second line of the caption, smaller and grey.
    """

    image: Image
    title: str = ""
    subtitle: str = ""


def contact_sheet(tiles: Sequence[Tile], *, columns: int | None = None, tile: int = 160) -> Image:
    """All tiles in rows.

    Args:
        tiles: in reading order; none gives a sheet that says so.
        columns: tiles in a row; None finds a number that makes the sheet a little wider than high.
        tile: side of a tile's square in pixels, at least 32.

    Returns:
        RGB uint8 `(H, W, 3)`.

    Raises:
        UsageError: `columns` or `tile` out of range.

    Example:
        >>> import numpy as np
        >>> contact_sheet([Tile(np.zeros((80, 60, 3), np.uint8), "Ada", "0.81")] * 4, columns=2).shape[1]
        380
    """
    return grouped_contact_sheet([("", tiles)], columns=columns, tile=tile)


def grouped_contact_sheet(
    groups: Sequence[tuple[str, Sequence[Tile]]], *, columns: int | None = None, tile: int = 160
) -> Image:
    """Groups of tiles one below the other, each with its heading (none where it is empty); see `contact_sheet`."""
    if tile < 32 or (columns is not None and columns < 1):
        raise UsageError(
            f"columns={columns}, tile={tile}: give at least 1 column and 32 pixels a tile", code="contact_sheet_size"
        )
    longest = max((len(tiles) for _, tiles in groups), default=0)
    total = sum(len(tiles) for _, tiles in groups)
    across = min(columns or max(4, math.ceil(math.sqrt(1.6 * total))), max(longest, 1))
    gap = max(8, tile // 8)
    width = gap + across * (tile + gap)
    parts = [_space(gap, width)]
    for heading, tiles in groups:
        if heading:
            parts.append(_heading(heading, width, gap, tile))
        parts += [_row(tiles[start : start + across], width, gap, tile) for start in range(0, len(tiles), across)]
    if total == 0:
        parts.append(_row([Tile(np.full((1, 1, 3), _MAT, np.uint8), _NOTHING)], width, gap, tile))
    return np.concatenate(parts)


def _space(height: int, width: int) -> Image:
    return np.full((height, width, 3), _PAPER, np.uint8)


def _heading(text: str, width: int, gap: int, tile: int) -> Image:
    size = max(12, tile // 8)
    strip = _space(2 * size + gap // 2, width)
    paint_text(strip, fit_text(text, size, width - 2 * gap), gap, size // 3, size, _TITLE_INK)
    strip[2 * size - size // 4, gap : width - gap] = _RULE
    return strip


def _row(tiles: Sequence[Tile], width: int, gap: int, tile: int) -> Image:
    title_size, subtitle_size = max(11, tile // 10), max(10, tile // 12)
    title_height = title_size * 3 // 2 if any(entry.title for entry in tiles) else 0
    subtitle_height = subtitle_size * 3 // 2 if any(entry.subtitle for entry in tiles) else 0
    row = _space(tile + title_height + subtitle_height + gap, width)
    for column, entry in enumerate(tiles):
        left = gap + column * (tile + gap)
        _place(row[:tile, left : left + tile], entry.image)
        top = tile + title_size // 3
        paint_text(row, fit_text(entry.title, title_size, tile), left, top, title_size, _TITLE_INK)
        top = tile + title_height + subtitle_size // 4
        paint_text(row, fit_text(entry.subtitle, subtitle_size, tile), left, top, subtitle_size, _SUBTITLE_INK)
    return row


def _place(square: Image, image: Image) -> None:
    """Fit a picture into a square, whole and centred; small ones grow at most fourfold, so that they stay honest."""
    square[:] = _MAT
    side = square.shape[0]
    height, width = image.shape[:2]
    scale = min(side / max(height, width), 4.0)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    fitted = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square[top : top + size[1], left : left + size[0]] = fitted
