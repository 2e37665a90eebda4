"""What a person's clothes look like to a histogram: the yardstick that a trained network must beat by far."""

from __future__ import annotations

import cv2
import numpy as np

from mien.records import Float32, Image

_STRIPES = 16
_BINS = (8, 4, 4)
_BORDER = 0.15
"""Share of the width left out on each side: there is little but background."""


def colour_stripes(image: Image) -> Float32:
    """HSV histograms of horizontal stripes, after Gray & Tao's ensembles of localized features (ECCV 2008).

    Args:
        image: RGB uint8 `(H, W, 3)`, a person.

    Returns:
        float32 `(2048,)`, L2-normalized square roots of the shares, so that the cosine of two is the mean
        Bhattacharyya coefficient of their stripes.
    """
    edge = int(image.shape[1] * _BORDER)
    hsv = cv2.cvtColor(image[:, edge : image.shape[1] - edge], cv2.COLOR_RGB2HSV)
    ranges = [0, 180, 0, 256, 0, 256]
    counts = [cv2.calcHist([stripe], [0, 1, 2], None, _BINS, ranges) for stripe in np.array_split(hsv, _STRIPES)]
    roots = np.sqrt(np.concatenate([np.asarray(count).ravel() / count.sum() for count in counts]))
    return (roots / np.linalg.norm(roots)).astype(np.float32)
