"""Where people were: a picture of the time that was spent at each place, and one of the ways that were taken."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.drawing.text import Colour, label_bitmap, paint_text, text_mask
from mien.errors import UsageError
from mien.records import Image

Float64 = NDArray[np.float64]
Path = NDArray[np.float64]
"""One track's way: `(K, 3)`, seconds ascending, x, y in fractions of the picture."""

_PAPER: Colour = (24, 27, 33)
_GRID: Colour = (44, 48, 56)
_INK: Colour = (232, 234, 238)
_CELLS = 160
"""Across the picture."""
_BLUR = 0.02
"""Standard deviation in widths of the picture: about a person's width."""
_STEP_SECONDS = 0.1
_COLOURS: tuple[Colour, ...] = (
    # Okabe and Ito's palette without black and without the blue that is dark on a dark ground
    *((86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167)),
)


def heat_map(
    paths: Sequence[Path],
    aspect: float,
    *,
    width: int = 960,
    background: Image | None = None,
    outlines: Sequence[tuple[str, Float64]] = (),
) -> Image:
    """Seconds that people spent at each place, dark to bright; brightness goes by the square root.

    Args:
        paths: of the tracks; each counts for the time between its points.
        aspect: width of the pictures over their height, > 0.
        width: of the result in pixels, >= 64.
        background: RGB picture of the scene, shown dimmed below the colours.
        outlines: names and corners `(C, 2)` in fractions of zones (C >= 3) and lines (C = 2) to draw.

    Returns:
        RGB uint8 `(round(width / aspect), width, 3)`.

    Raises:
        UsageError: `picture_shape`.
    """
    canvas = _ground(aspect, width, background)
    seconds = density(paths, aspect)
    peak = float(seconds.max())
    if peak > 0:
        size = canvas.shape[1], canvas.shape[0]
        share = np.clip(cv2.resize(np.sqrt(seconds / peak), size, interpolation=cv2.INTER_CUBIC), 0, 1)
        colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
        cover = np.clip(share * 4, 0, 0.9)[..., None]
        canvas[:] = (canvas * (1 - cover) + colours * cover).astype(np.uint8)
    _draw_outlines(canvas, outlines)
    _draw_scale(canvas, peak * seconds.size / 100)
    return canvas


def trajectories(
    paths: Sequence[Path],
    aspect: float,
    *,
    width: int = 960,
    background: Image | None = None,
    outlines: Sequence[tuple[str, Float64]] = (),
) -> Image:
    """The way of each track, from a ring to a dot; arguments, result and errors as of `heat_map`."""
    canvas = _ground(aspect, width, background)
    size = np.array([canvas.shape[1], canvas.shape[0]])
    thick = max(1, width // 480)
    fine = 4  # bits of a pixel's fraction that OpenCV draws with
    for number, path in enumerate(paths):
        if not len(path):
            continue
        colour = _COLOURS[number % len(_COLOURS)]
        points = np.round(np.clip(path[:, 1:], -1, 2) * size * 2**fine).astype(np.int32)
        cv2.polylines(canvas, [points], False, colour, thick, cv2.LINE_AA, fine)
        cv2.circle(canvas, points[0].tolist(), (3 * thick) << fine, colour, thick, cv2.LINE_AA, fine)
        cv2.circle(canvas, points[-1].tolist(), (3 * thick) << fine, colour, -1, cv2.LINE_AA, fine)
    _draw_outlines(canvas, outlines)
    return canvas


def density(paths: Sequence[Path], aspect: float) -> NDArray[np.float32]:
    """Seconds a cell that people spent, blurred to about a person's width.

    Returns:
        float32 `(H, 160)`; it sums up to the paths' seconds within the picture, but for what the blur carries out.
    """
    rows = max(1, round(_CELLS / aspect))
    cells = np.zeros((rows, _CELLS), np.float32)
    for path in paths:
        if len(path) < 2 or path[-1, 0] <= path[0, 0]:
            continue
        steps = max(2, round(float(path[-1, 0] - path[0, 0]) / _STEP_SECONDS) + 1)
        times = np.linspace(path[0, 0], path[-1, 0], steps)
        x, y = np.interp(times, path[:, 0], path[:, 1]), np.interp(times, path[:, 0], path[:, 2])
        inside = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
        np.add.at(cells, ((y[inside] * rows).astype(int), (x[inside] * _CELLS).astype(int)), times[1] - times[0])
    sigma = _BLUR * _CELLS
    return cv2.GaussianBlur(cells, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT).astype(np.float32)


def png(image: Image) -> bytes:
    """A picture as the bytes of a PNG file; the same picture gives the same bytes."""
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def _ground(aspect: float, width: int, background: Image | None) -> Image:
    if not 0.05 <= aspect <= 20 or width < 64:
        raise UsageError(
            f"aspect = {aspect}, width = {width}; give width over height of the pictures and at least 64 pixels",
            code="picture_shape",
        )
    height = max(1, round(width / aspect))
    if background is not None:
        grey = cv2.cvtColor(cv2.resize(background, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        return np.repeat((grey * 0.55).astype(np.uint8)[..., None], 3, axis=2)
    canvas = np.full((height, width, 3), _PAPER, np.uint8)
    for tenth in range(1, 10):
        canvas[:, round(width * tenth / 10)] = _GRID
        canvas[round(height * tenth / 10)] = _GRID
    return canvas


def _draw_outlines(canvas: Image, outlines: Sequence[tuple[str, Float64]]) -> None:
    height, width = canvas.shape[:2]
    size = max(11, round(min(height, width) / 36))
    for name, corners in outlines:
        points = np.round(corners * [width - 1, height - 1]).astype(np.int32)
        cv2.polylines(canvas, [points], len(points) > 2, _PAPER, 4, cv2.LINE_AA)
        cv2.polylines(canvas, [points], len(points) > 2, _INK, 2, cv2.LINE_AA)
        if len(points) == 2:
            _draw_arrow(canvas, points, size)
        label = label_bitmap(name, size, _PAPER, _INK)
        left, top = np.clip(points[0] + 4, 0, [max(0, width - label.shape[1]), max(0, height - label.shape[0])])
        patch = canvas[top : top + label.shape[0], left : left + label.shape[1]]
        patch[:] = label[: patch.shape[0], : patch.shape[1]]


def _draw_arrow(canvas: Image, line: NDArray[np.int32], size: int) -> None:
    """Which way is forward, from the middle of a line `(2, 2)`."""
    across = (line[1] - line[0]).astype(np.float64)
    forward = np.array([across[1], -across[0]]) / max(float(np.hypot(*across)), 1.0)
    middle = line.mean(axis=0)
    tip = np.round(middle + 3 * size * forward).astype(int).tolist()
    cv2.arrowedLine(canvas, np.round(middle).astype(int).tolist(), tip, _PAPER, 4, cv2.LINE_AA, tipLength=0.4)
    cv2.arrowedLine(canvas, np.round(middle).astype(int).tolist(), tip, _INK, 2, cv2.LINE_AA, tipLength=0.4)


def _draw_scale(canvas: Image, peak: float) -> None:
    """A bar of the colours; `peak` is the longest time, in seconds on one percent of the picture."""
    height, width = canvas.shape[:2]
    long, tall, edge = max(width // 5, 64), max(6, height // 50), max(8, width // 80)
    size = max(11, height // 40)
    text = f"brightest: {_short(peak)} s on 1% of the picture" if peak else "nobody"
    top, left = height - edge - tall, width - edge - long
    if top < size or left < 0:
        return
    ramp = np.sqrt(np.linspace(0, 1, long)) if peak else np.zeros(long)
    colours = cv2.applyColorMap((ramp * 255).astype(np.uint8)[None], cv2.COLORMAP_INFERNO)[..., ::-1]
    canvas[top : top + tall, left : left + long] = colours
    paint_text(canvas, text, width - edge - text_mask(text, size).shape[1], top - size - 4, size, _INK)


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
