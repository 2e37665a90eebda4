"""Cuts a person's box out of a picture and stretches it to what a network takes."""

from __future__ import annotations

import cv2
import numpy as np

from mien.records import Float32, Image


def body_crop(image: Image, box: Float32, height: int, width: int) -> Image:
    """The part of a picture inside a box, stretched to `(height, width, 3)`.

    Args:
        image: RGB uint8 `(H, W, 3)`.
        box: `xyxy` `(4,)` in its pixels; what lies outside of the picture is left out, as the data sets of
            re-identification leave it out.
        height, width: of the crop in pixels.

    Returns:
        RGB uint8 `(height, width, 3)`, black where the box has no pixel in common with the picture.
    """
    limits = np.array([image.shape[1], image.shape[0]] * 2)
    corners = np.clip(np.nan_to_num(box, nan=0.0), 0, limits)
    left, top = np.floor(corners[:2]).astype(int).tolist()
    right, bottom = np.ceil(corners[2:]).astype(int).tolist()
    if right <= left or bottom <= top:
        return np.zeros((height, width, 3), np.uint8)
    patch = image[top:bottom, left:right]
    smaller = height * width < patch.shape[0] * patch.shape[1] / 2
    filtering = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(patch, (width, height), interpolation=filtering).astype(np.uint8, copy=False)
