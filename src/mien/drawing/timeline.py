"""When each subject or track was seen in a clip: one row each, a bar for every stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.drawing.annotate import STATE_COLOURS, State
from mien.drawing.text import Colour, fit_text, paint_text, text_mask
from mien.errors import UsageError
from mien.records import Image

_PAPER: Colour = (250, 250, 248)
_LANE: Colour = (238, 239, 240)
_GRID: Colour = (214, 217, 221)
_INK: Colour = (25, 28, 32)
_SOFT_INK: Colour = (105, 110, 118)
_BARS: dict[State, Colour] = {**STATE_COLOURS, "undecided": (150, 154, 160)}  # a grey that shows on white paper
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a timeline.

    Attributes:
        name: subject or track, at the left edge.
        spans: `(start, end)` of each stay, in seconds from the clip's start.
        state: gives the bars the colour that the annotated video has.
    """

    name: str
    spans: Sequence[tuple[float, float]]
    state: State = "recognized"


def timeline(rows: Sequence[Row], seconds: float, *, width: int = 960) -> Image:
    """A bar chart over time.

    Args:
        rows: from top to bottom; none gives the axis alone.
        seconds: length of the clip, > 0; spans are cut to [0, seconds]. A shorter stay than a pixel still shows.
        width: of the picture in pixels, at least 320; the height follows from the number of rows.

    Returns:
        RGB uint8 `(H, width, 3)`.

    Raises:
        UsageError: `seconds` or `width` out of range.

    Example:
        >>> timeline([Row("Ada", [(0.5, 3.0), (7.0, 9.5)])], 12.0).shape[1]
        960
    """
    if not 0 < seconds < float("inf") or width < 320:
        raise UsageError(
            f"seconds={seconds}, width={width}: give a length above 0 and at least 320 pixels", code="timeline_size"
        )
    size, margin, lane = 15, 18, 22
    pitch = lane + 8
    widest = max((text_mask(row.name, size).shape[1] for row in rows), default=0)
    left = margin + min(widest, width // 4) + 14
    right = width - margin - 10
    bottom = margin + max(len(rows), 1) * pitch
    image = np.full((bottom + 2 * size + margin, width, 3), _PAPER, np.uint8)
    for number, row in enumerate(rows):
        top = margin + number * pitch
        image[top : top + lane, left:right] = _LANE
        paint_text(image, fit_text(row.name, size, left - margin - 14), margin, top + 3, size, _INK)
    _draw_axis(image, left, right, margin - 6, bottom, seconds)
    for number, row in enumerate(rows):
        top = margin + number * pitch
        for start, end in row.spans:
            x0, x1 = (left + round(min(max(at, 0.0), seconds) / seconds * (right - left)) for at in (start, end))
            image[top + 2 : top + lane - 2, x0 : max(x1, x0 + 2)] = _BARS[row.state]
    return image


def _draw_axis(image: Image, left: int, right: int, top: int, bottom: int, seconds: float) -> None:
    step = next((step for step in _STEPS if (right - left) * step / seconds >= 60), seconds)
    for tick in range(int(seconds / step + 1e-6) + 1):
        x = left + round(tick * step / seconds * (right - left))
        image[top : bottom + 4, min(x, right)] = _GRID
        text = clock(tick * step, tenths=step < 1)
        paint_text(image, text, x - text_mask(text, 12).shape[1] // 2, bottom + 8, 12, _SOFT_INK)


def clock(seconds: float, *, tenths: bool = False) -> str:
    """Seconds as `0:07`, `0:07.5` or `1:02:33`.

    Example:
        >>> clock(7.5, tenths=True), clock(3753)
        ('0:07.5', '1:02:33')
    """
    units = round(seconds * 10) if tenths else round(seconds) * 10
    whole, tenth = divmod(units, 10)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"{text}.{tenth}" if tenths else text
