"""Names the main colour of a patch of clothing by one of the eleven basic colour terms.

Berlin and Kay, "Basic Color Terms", 1969. The rule follows the ISCC-NBS system (Kelly and Judd, "Color: Universal
Language and Dictionary of Names", NBS Special Publication 440, 1976): hue sectors in CIELAB, of which pink and red,
brown and orange share hues and differ in lightness or chroma, and grey levels below a least chroma.
Its limits were chosen on the part of PETA that is for choosing.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

COLOURS = ("black", "white", "grey", "red", "pink", "orange", "brown", "yellow", "green", "blue", "purple")
"""The basic colour terms."""

_BLACK, _WHITE, _GREY, _RED, _PINK, _ORANGE, _BROWN, _YELLOW, _GREEN, _BLUE, _PURPLE = range(len(COLOURS))

_LEAST_CHROMA = 10.0
_DARK, _LIGHT = 32.0, 58.0
"""Lightness below which a colour without chroma is black, and above which it is white."""
_TOO_DARK = 10.0
"""Lightness below which any colour is black."""
_SECTORS = ((40.0, _RED), (75.0, _BROWN), (105.0, _YELLOW), (200.0, _GREEN), (311.0, _BLUE), (345.0, _PURPLE))
"""Where the sectors of hue end, in degrees; red goes on from the last one through 0."""
_PINK_FROM = 55.0
"""Lightness from which reds, and purples of more than 315 degrees, are pink."""
_ORANGE_LIGHTNESS, _ORANGE_CHROMA = 60.0, 30.0
_YELLOW_LIGHTNESS, _YELLOW_CHROMA = 45.0, 20.0
"""From these on a hue of the brown or yellow sector is orange or yellow; brown below."""


def main_colour(pixels: NDArray[np.uint8]) -> str | None:
    """The name that most pixels have.

    Args:
        pixels: RGB uint8 `(..., 3)`.

    Returns:
        One of `COLOURS`; None where there are no pixels.

    Example:
        >>> main_colour(np.full((4, 4, 3), (200, 20, 30), np.uint8))
        'red'
    """
    if not pixels.size:
        return None
    return COLOURS[int(np.bincount(colour_numbers(pixels).ravel(), minlength=len(COLOURS)).argmax())]


def colour_numbers(pixels: NDArray[np.uint8]) -> NDArray[np.intp]:
    """The place in `COLOURS` of each pixel's name: `(...)` for RGB uint8 `(..., 3)`."""
    flat = np.ascontiguousarray(pixels).reshape(1, -1, 3).astype(np.float32) / np.float32(255)
    lab: NDArray[Any] = cv2.cvtColor(flat, cv2.COLOR_RGB2LAB)
    lightness, green_red, blue_yellow = lab[0].T
    chroma = np.hypot(green_red, blue_yellow)
    hue = np.degrees(np.arctan2(blue_yellow, green_red)) % 360
    ends, names = zip(*_SECTORS, strict=True)
    named = np.append(names, _RED)[np.searchsorted(ends, hue, side="right")]
    pink = (lightness > _PINK_FROM) & ((named == _RED) | ((named == _PURPLE) & (hue > 315)))
    orange = (named == _BROWN) & (lightness > _ORANGE_LIGHTNESS) & (chroma > _ORANGE_CHROMA)
    brown = (named == _YELLOW) & ((lightness < _YELLOW_LIGHTNESS) | (chroma < _YELLOW_CHROMA))
    levels = np.select([lightness < _DARK, lightness > _LIGHT], [_BLACK, _WHITE], _GREY)
    conditions = [lightness < _TOO_DARK, chroma < _LEAST_CHROMA, pink, orange, brown]
    return np.select(conditions, [_BLACK, levels, _PINK, _ORANGE, _BROWN], named).reshape(pixels.shape[:-1])
