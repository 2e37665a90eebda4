"""Text as small bitmaps, drawn once a string and then only copied; any name shows, in one of the fonts at hand.

Pillow's own font covers ASCII. A string with other characters takes the first system font that has them all. What
no font has falls back, in this order: to the base letter of an accented one (`ü` -> `u`), else to its code point
(`李` -> `U+674E`), so that two names never look alike by accident.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from mien.records import Image

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

LONGEST = 60
"""Characters of a string that are shown; a longer one ends in three dots."""

_SYSTEM_FONTS = (
    # wide coverage first, then one per system for Chinese, Japanese and Korean; Pillow finds them by name
    *("DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "segoeui.ttf", "arial.ttf", "Arial.ttf"),
    *("NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf", "msyh.ttc", "malgun.ttf"),
    *("PingFang.ttc", "Hiragino Sans GB.ttc", "Arial Unicode.ttf", "ARIALUNI.TTF"),
)
_NOT_A_CHARACTER = "\uffff"


def text_mask(text: str, size: int) -> NDArray[np.uint8]:
    """Coverage of one line of text: 0 outside the letters, 255 inside, smooth edges between.

    Args:
        text: any string; line breaks and other controls become spaces.
        size: height of a line in pixels, about; at least 1.

    Returns:
        uint8 `(H, W)`, at least 1x1; H is the same for all strings in the same font and size. Read-only, for it is
        kept for the next call.

    Example:
        >>> mask = text_mask("Ada", 20)
        >>> mask.dtype.name, bool(mask.max() > 200)
        ('uint8', True)
    """
    return _mask(shorten(text), max(size, 1))


def label_bitmap(text: str, size: int, ink: Colour, paper: Colour) -> Image:
    """Text on a plain box with a small margin: RGB uint8 `(H, W, 3)`, read-only; see `text_mask`."""
    return _label(shorten(text), max(size, 1), ink, paper)


def paint_text(image: Image, text: str, left: int, top: int, size: int, ink: Colour) -> None:
    """Draw one line of text into `image`, in place; what lies outside of the picture is cut off."""
    mask = text_mask(text, size)
    y0, y1 = max(top, 0), min(top + mask.shape[0], image.shape[0])
    x0, x1 = max(left, 0), min(left + mask.shape[1], image.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    cover = mask[y0 - top : y1 - top, x0 - left : x1 - left, None].astype(np.uint16)
    patch = image[y0:y1, x0:x1]
    patch[:] = (patch * (255 - cover) + np.array(ink, np.uint16) * cover + 127) // 255


def fit_text(text: str, size: int, width: int) -> str:
    """`text`, cut and ended by three dots if it is wider than `width` pixels."""
    text = shorten(text)
    if text_mask(text, size).shape[1] <= width:
        return text
    for length in range(len(text) - 1, 0, -1):
        cut = text[:length].rstrip() + "..."
        if text_mask(cut, size).shape[1] <= width:
            return cut
    return ""


def shorten(text: str) -> str:
    """One printable line of at most `LONGEST` characters."""
    printable = "".join(_printable(character) for character in text[: 4 * LONGEST])
    line = unicodedata.normalize("NFC", " ".join(printable.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 3] + "..."


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cf", "Cs", "Co", "Cn"):  # direction marks, surrogates, private and unassigned: nothing to see
        return ""
    return " " if category[0] in "CZ" else character


@lru_cache(maxsize=512)
def _mask(text: str, size: int) -> NDArray[np.uint8]:
    font, text = _covering(text, size)
    _, top, _, bottom = font.getbbox("Agj|")
    left, text_top, right, text_bottom = font.getbbox(text)
    top, bottom = min(top, text_top), max(bottom, text_bottom)
    canvas = Pillow.new("L", (max(1, round(right - left)), max(1, round(bottom - top))))
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=font)
    mask = np.asarray(canvas).copy()
    mask.flags.writeable = False
    return mask


@lru_cache(maxsize=512)
def _label(text: str, size: int, ink: Colour, paper: Colour) -> Image:
    mask = _mask(text, size)
    margin_x, margin_y = max(1, size // 3), max(1, size // 6)
    bitmap = np.empty((mask.shape[0] + 2 * margin_y, mask.shape[1] + 2 * margin_x, 3), np.uint8)
    bitmap[:] = paper
    paint_text(bitmap, text, margin_x, margin_y, size, ink)
    bitmap.flags.writeable = False
    return bitmap


@lru_cache(maxsize=64)
def _own_font(size: int) -> Font:
    return ImageFont.load_default(size)


@lru_cache(maxsize=256)
def _system_font(name: str, size: int) -> Font | None:
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _has(font: Font, character: str) -> bool:
    """Whether a font has a glyph of its own for a character, told by comparing with its "missing" box."""
    return character.isspace() or _glyph(font, character) != _glyph(font, _NOT_A_CHARACTER)


def _glyph(font: Font, character: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(character)
    return mask.size, bytes(mask)


def _covering(text: str, size: int) -> tuple[Font, str]:
    """The first font that has all of `text`; else the one that has most of it, and a spelling that it can show."""
    own = _own_font(size)
    if text.isascii():
        return own, text
    characters = set(text)
    best, most = own, -1
    for font in (own, *(found for name in _SYSTEM_FONTS if (found := _system_font(name, size)))):
        have = sum(_has(font, character) for character in characters)
        if have == len(characters):
            return font, text
        if have > most:
            best, most = font, have
    return best, "".join(_spelled(best, character) for character in text)


def _spelled(font: Font, character: str) -> str:
    if _has(font, character):
        return character
    base = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    if base != character and all(_has(font, part) for part in base):
        return base
    return f"U+{ord(character):04X}"
