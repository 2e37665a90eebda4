"""Brings a face before a network: crops by landmarks or by box, in one resampling."""

from __future__ import annotations

import numpy as np

from mien.geometry import similarity_transform
from mien.media.warping import warp
from mien.records import Float32

__all__ = ["TEMPLATES", "alignment", "box_matrix", "warp"]

TEMPLATES: dict[str, Float32] = {
    # Deng et al., "ArcFace", CVPR 2019: where the five landmarks lie in a 112 x 112 crop.
    "arcface-112": np.array(
        [
            [0.34191607, 0.46157411],
            [0.65653393, 0.45983393],
            [0.50022500, 0.64050536],
            [0.37097589, 0.82469196],
            [0.63151696, 0.82325089],
        ],
        np.float32,
    ),
    # The card of face-reidentification-retail-0095.
    "retail-0095": np.array(
        [
            [0.31556875, 0.46157411],
            [0.68262292, 0.46157411],
            [0.50026250, 0.64050536],
            [0.34947188, 0.82469196],
            [0.65343646, 0.82469196],
        ],
        np.float32,
    ),
}
"""Positions of the five landmarks in fractions of a square crop, `(5, 2)`."""


def alignment(landmarks: Float32, template: str, size: int) -> Float32:
    """The similarity `(2, 3)` that takes a face's landmarks `(5, 2)` to a template in a `size` x `size` crop."""
    return similarity_transform(landmarks, TEMPLATES[template] * size)


def box_matrix(box: Float32, size: int) -> Float32:
    """The transform `(2, 3)` that takes a square box `xyxy` to a `size` x `size` crop."""
    scale = size / max(float(box[2] - box[0]), 1e-3)
    return np.array([[scale, 0, -scale * box[0]], [0, scale, -scale * box[1]]], np.float32)
