"""How a camera has moved between two frames, from the flow of corners that do not lie on people."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.records import Image

Float64 = NDArray[np.float64]
STILL: Float64 = np.eye(2, 3)

_LINES = 240
"""Height in pixels at which frames are compared; flow is found to a fraction of a pixel."""
_MOST_CORNERS = 200
_FEWEST_CORNERS = 12
_SMALLEST_SHARE = 0.5
"""Of the corners that must agree on one motion; else the scene itself moves, and nothing is known of the camera."""
_AGREE = 1.5
"""Pixels of the reduced frame by which a corner may differ from the common motion."""


class CameraMotion:
    """Follows the background of one stream.

    Corners (Shi and Tomasi, "Good Features to Track", CVPR 1994) outside of people are followed by pyramidal
    Lucas-Kanade flow, and the similarity (shift, turn, zoom) that most of them agree on is taken.

    Example:
        >>> noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
        >>> scene = cv2.GaussianBlur(noise, (0, 0), 3)
        >>> follow, nobody = CameraMotion(), np.empty((0, 4), np.float32)
        >>> _ = follow(scene, nobody)
        >>> follow(np.roll(scene, 4, axis=1), nobody)[:, 2].round().astype(int).tolist()
        [4, 0]
    """

    def __init__(self) -> None:
        self._last: NDArray[np.uint8] | None = None
        self._corners: NDArray[np.float32] = np.empty((0, 1, 2), np.float32)

    def __call__(self, image: Image, people: NDArray[np.float32]) -> Float64:
        """Takes the next frame.

        Args:
            image: RGB uint8 `(H, W, 3)`.
            people: boxes `xyxy` `(N, 4)` in its pixels: what may move by itself.

        Returns:
            float64 `(2, 3)`: a point x of the scene was at x in the last frame and is at `matrix @ (x, 1)` in this
            one, in pixels. STILL for the first frame, after a change of size, and where it cannot be told.
        """
        scale = min(1.0, _LINES / image.shape[0])
        size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
        grey: Any = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        motion = STILL if self._last is None or self._last.shape != grey.shape else self._flow(grey)
        self._last, self._corners = grey, _corners(grey, people * scale)
        if motion is STILL:
            return STILL
        return np.column_stack([motion[:, :2], motion[:, 2] / scale])

    def _flow(self, grey: NDArray[np.uint8]) -> Float64:
        if len(self._corners) < _FEWEST_CORNERS or self._last is None:
            return STILL
        there, found, _ = cv2.calcOpticalFlowPyrLK(
            self._last, grey, self._corners, np.empty_like(self._corners), winSize=(15, 15), maxLevel=3
        )
        followed = found.ravel() == 1
        if followed.sum() < _FEWEST_CORNERS:
            return STILL
        matrix, agreed = cv2.estimateAffinePartial2D(
            self._corners[followed], there[followed], ransacReprojThreshold=_AGREE, maxIters=200
        )
        if matrix is None or agreed.mean() < _SMALLEST_SHARE:
            return STILL
        return np.asarray(matrix, np.float64)


def _corners(grey: NDArray[np.uint8], people: NDArray[np.float32]) -> NDArray[np.float32]:
    """Corners `(K, 1, 2)` outside of the people's boxes."""
    free = np.full(grey.shape, 255, np.uint8)
    for left, top, right, bottom in np.clip(people, 0, 1 << 14).round().astype(int).tolist():
        free[top:bottom, left:right] = 0
    corners = cv2.goodFeaturesToTrack(grey, _MOST_CORNERS, 0.01, 8, mask=free)
    return np.empty((0, 1, 2), np.float32) if corners is None else np.asarray(corners, np.float32)


def moved_boxes(boxes: Float64, motion: Float64) -> Float64:
    """Boxes `xyxy` `(N, 4)` where a camera's motion `(2, 3)` takes them: centres move, sizes are zoomed.

    Example:
        >>> moved_boxes(np.array([[10.0, 10, 20, 30]]), np.array([[1.0, 0, 5], [0, 1, 0]])).tolist()
        [[15.0, 10.0, 25.0, 30.0]]
    """
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 @ motion[:, :2].T + motion[:, 2]
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * np.hypot(motion[0, :2], motion[1, :2])
    return np.concatenate([centre - half, centre + half], axis=1)
