"""Another background behind people, or the same one out of focus, without halos.

At a soft edge a pixel mixes the colours of person and background, so laying it over something new would drag a rim of
the old background along. The person's own colours there are estimated first (Forte: "Approximate Fast Foreground
Colour Estimation", ICIP 2021), and a blurred background is made from background pixels only.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.errors import UsageError
from mien.records import Float32, Image

_REACH = 0.02
"""Radius within which colours of person and background are looked for, in shorter sides of the picture."""


def replace_background(image: Image, mask: Float32, background: Image | tuple[int, int, int]) -> Image:
    """The people of a picture before another background.

    Args:
        image: RGB uint8 `(H, W, 3)`.
        mask: float32 `(H, W)` in [0, 1], 1 where people are; see `mien.person.segmenter`.
        background: RGB uint8 picture of any size, scaled to cover the whole and cut to size; or one colour.

    Returns:
        RGB uint8 `(H, W, 3)`.

    Raises:
        UsageError: `mask_mismatch`: picture and mask have different sizes.

    Example:
        >>> image, mask = np.full((4, 6, 3), 200, np.uint8), np.zeros((4, 6), np.float32)
        >>> replace_background(image, mask, (0, 90, 0))[0, 0].tolist()
        [0, 90, 0]
    """
    _check(image, mask)
    if isinstance(background, tuple):
        behind = np.broadcast_to(np.array(background, np.float32), image.shape)
    else:
        behind = _covering(background, *image.shape[:2]).astype(np.float32)
    return _over(_people_alone(image, mask), mask, behind)


def blur_background(image: Image, mask: Float32, *, strength: float = 0.03) -> Image:
    """The people of a picture before its own background out of focus.

    Args:
        image, mask: as for `replace_background`.
        strength: standard deviation of the blur in shorter sides of the picture, > 0.

    Returns:
        RGB uint8 `(H, W, 3)`.

    Raises:
        UsageError: `mask_mismatch`, or `blur_out_of_range`.
    """
    _check(image, mask)
    if not 0 < strength <= 1:
        raise UsageError(f"a blur of {strength} was asked for; it lies above 0 and up to 1", code="blur_out_of_range")
    behind = _weighted_blur(image.astype(np.float32), _pure(1 - mask), strength * min(image.shape[:2]))
    return _over(_people_alone(image, mask), mask, behind)


def _check(image: Image, mask: Float32) -> None:
    if image.shape[:2] != mask.shape:
        raise UsageError(
            f"the picture is {image.shape[1]}x{image.shape[0]} and the mask {mask.shape[1]}x{mask.shape[0]}; "
            "give the mask of this picture",
            code="mask_mismatch",
        )


def _people_alone(image: Image, mask: Float32) -> Float32:
    """The colours of the people without what shines through at their edges, float32 `(H, W, 3)`."""
    pixels, cover = image.astype(np.float32), mask[..., None]
    reach = max(1.0, _REACH * min(mask.shape))
    people = _weighted_blur(pixels, _pure(mask), reach)
    behind = _weighted_blur(pixels, _pure(1 - mask), reach)
    return np.asarray(np.clip(people + cover * (pixels - cover * people - (1 - cover) * behind), 0, 255), np.float32)


def _pure(share: Float32) -> Float32:
    """Weights for pixels by their share of one side: mixed ones count only where there is no pure one near."""
    return np.asarray(np.clip(10 * share - 9, 0, 1) + 0.01 * share, np.float32)


def _weighted_blur(pixels: Float32, weight: Float32, sigma: float) -> Float32:
    """A Gaussian blur in which each pixel counts by its weight; the weighted mean where there is none near."""
    total = float(weight.sum())
    mean = (pixels * weight[..., None]).sum((0, 1)) / total if total > 0 else pixels.mean((0, 1))
    # A wide blur on a reduced copy: what it loses is finer than the blur.
    step = max(1, int(sigma / 4))
    size = (max(1, pixels.shape[1] // step), max(1, pixels.shape[0] // step))
    carried = cv2.resize(pixels * weight[..., None], size, interpolation=cv2.INTER_AREA)
    shares = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    carried, shares = (cv2.GaussianBlur(plane, (0, 0), sigma / step) for plane in (carried, shares))
    least = np.float32(1e-5)
    blurred = (carried + least * mean) / (shares[..., None] + least)
    return np.asarray(cv2.resize(blurred, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _over(people: Float32, mask: Float32, behind: Float32) -> Image:
    cover = mask[..., None]
    return np.clip(people * cover + behind * (1 - cover) + 0.5, 0, 255).astype(np.uint8)


def _covering(background: Image, height: int, width: int) -> Image:
    """The middle of a picture, scaled so that it covers `height` x `width` pixels."""
    scale = max(height / background.shape[0], width / background.shape[1])
    size = (max(width, round(background.shape[1] * scale)), max(height, round(background.shape[0] * scale)))
    filtering = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = cv2.resize(background, size, interpolation=filtering)
    top, left = (size[1] - height) // 2, (size[0] - width) // 2
    return scaled[top : top + height, left : left + width].astype(np.uint8, copy=False)
