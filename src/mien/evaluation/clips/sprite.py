"""Cut-out pictures that are moved over a background: what composed clips are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.records import Float32, Image


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A picture with a soft edge.

    Attributes:
        image: RGB uint8 `(H, W, 3)`.
        cover: float32 `(H, W)`, 0 where the background shows, 1 where the picture does.
    """

    image: Image
    cover: Float32


@dataclass(frozen=True, slots=True)
class Placement:
    """Where and how a sprite stands in one frame.

    Attributes:
        x, y: of the anchor in the frame, pixels.
        scale: pixels of the frame for one of the sprite.
        angle: degrees clockwise in the picture.
        gain: factor on the brightness.
        blur: standard deviation of a Gaussian, in pixels of the frame.
    """

    x: float
    y: float
    scale: float = 1.0
    angle: float = 0.0
    gain: float = 1.0
    blur: float = 0.0


def placement_matrix(anchor: tuple[float, float], place: Placement) -> NDArray[np.float64]:
    """The affine map `(2, 3)` from the sprite's pixels to the frame's, that takes `anchor` to `(x, y)`."""
    turn = np.radians(place.angle)
    linear = place.scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.column_stack([linear, np.array([place.x, place.y]) - linear @ anchor])


def paste(frame: Image, sprite: Sprite, anchor: tuple[float, float], place: Placement) -> None:
    """Draw a sprite into `frame`, in place; what lies outside of the frame is cut off."""
    matrix = placement_matrix(anchor, place)
    height, width = sprite.cover.shape
    outline = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ matrix[:, :2].T + matrix[:, 2]
    x0, y0 = np.maximum(np.floor(outline.min(0)), 0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(outline.max(0)), frame.shape[1::-1]).astype(int).tolist()
    if x0 >= x1 or y0 >= y1:
        return
    matrix[:, 2] -= (x0, y0)
    size = (x1 - x0, y1 - y0)
    # Shrinking samples the source sparsely: half a target pixel of blur stands in for the area average.
    spread = np.hypot(place.blur, 0.5 if place.scale < 0.8 else 0.0) / place.scale
    image: NDArray[Any] = sprite.image
    cover: NDArray[Any] = sprite.cover
    if spread > 0.3:
        image, cover = cv2.GaussianBlur(image, (0, 0), spread), cv2.GaussianBlur(cover, (0, 0), spread)
    image = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = cv2.warpAffine(cover, matrix, size, flags=cv2.INTER_LINEAR)
    if place.gain != 1:
        image = cv2.convertScaleAbs(image, alpha=place.gain)
    patch = frame[y0:y1, x0:x1]
    patch[:] = cv2.blendLinear(image, np.ascontiguousarray(patch), cover, 1 - cover)


def smooth_noise(height: int, width: int, cell: int, generator: np.random.Generator) -> Float32:
    """Soft random hills: float32 `(height, width)` in [0, 1], about `cell` pixels from top to valley."""
    coarse = generator.random((height // cell + 3, width // cell + 3), dtype=np.float32)
    fine = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(fine, 0, 1), np.float32)
