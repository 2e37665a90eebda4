"""A decoded picture of any mode -> RGB uint8 `HxWx3`.

EXIF orientation is applied; grey, palette, 1-bit and YCbCr turn into RGB; transparent pixels are laid on white, as
viewers show them; 16-bit grey is scaled to 8 bits and 16-bit colour keeps its high byte; CMYK is converted without its
colour profile. Floating point, 32-bit integer and Lab pictures are refused.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.Image import Transpose

from mien.errors import BadInputError
from mien.records import Image

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}


def from_pillow(picture: PIL.Image.Image, name: str) -> Image:
    """A Pillow picture, opened or in memory, as RGB uint8 `(H, W, 3)`; what decoding it raises comes through.

    Raises:
        BadInputError: `picture_mode_unsupported`.
    """
    picture.load()
    turn = _TURNS.get(_orientation(picture))
    colours = _rgb(picture, name)
    return np.array(colours if turn is None else colours.transpose(turn))


def from_array(array: NDArray[Any], *, bgr: bool = False) -> Image:
    """A uint8 array, `(H, W, 3)` RGB (BGR with `bgr`) or `(H, W)` grey, as RGB `(H, W, 3)`, C-contiguous.

    Raises:
        BadInputError: `picture_array`, `picture_empty`.
    """
    grey = array.ndim == 2
    if array.dtype != np.uint8 or not (grey or (array.ndim == 3 and array.shape[2] == 3)):
        raise BadInputError(
            f"an array of {array.dtype} {array.shape} is no picture; expected uint8 (H, W, 3) in RGB, or (H, W) grey",
            code="picture_array",
        )
    if not array.size:
        raise BadInputError(f"an array of shape {array.shape} holds no pixels", code="picture_empty")
    if grey:
        return np.repeat(array[:, :, None], 3, axis=2)
    if bgr:
        return np.asarray(cv2.cvtColor(array, cv2.COLOR_BGR2RGB), np.uint8)
    return np.ascontiguousarray(array)


def _orientation(picture: PIL.Image.Image) -> Any:
    """The EXIF orientation, 1 where there is none. Broken EXIF spoils no picture: viewers show it as it is stored."""
    try:
        return picture.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:
        return 1


def _rgb(picture: PIL.Image.Image, name: str) -> PIL.Image.Image:
    if picture.mode.startswith("I;16"):
        values = np.asarray(picture).astype(np.uint32)
        return PIL.Image.fromarray(((values * 255 + 32767) // 65535).astype(np.uint8)).convert("RGB")
    if picture.mode in ("I", "F", "LAB"):
        raise BadInputError(
            f"{name}: its pixels are of Pillow's mode {picture.mode}; expected 8 or 16 bits a channel in grey, RGB or "
            "CMYK: convert it",
            code="picture_mode_unsupported",
        )
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        return PIL.Image.alpha_composite(PIL.Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")
