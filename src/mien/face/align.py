"""Brings a face before a network: crops by landmarks or by box, in one resampling."""

from __future__ import annotations

import cv2
import numpy as np

from mien.geometry import similarity_transform
from mien.records import Float32, Image

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


def warp(image: Image, matrix: Float32, size: int) -> Image:
    """Resample a picture through a similarity `(2, 3)` into an RGB uint8 `(size, size, 3)` crop.

    A strong reduction is made in two steps, because bilinear sampling alone skips pixels and aliases.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:
        corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
        inverse = cv2.invertAffineTransform(matrix)
        source = corners @ inverse[:, :2].T + inverse[:, 2]
        left, top = np.maximum(np.floor(source.min(0)).astype(int) - 2, 0)
        right, bottom = np.minimum(np.ceil(source.max(0)).astype(int) + 2, image.shape[1::-1])
        if right > left and bottom > top:
            patch = image[top:bottom, left:right]
            width, height = (max(1, round(side * scale * 1.5)) for side in (right - left, bottom - top))
            ratio = np.array([(right - left) / width, (bottom - top) / height], np.float32)
            image = cv2.resize(patch, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
            # p_full = p_small * ratio + corner, with pixel centres at whole numbers.
            offset = np.array([left, top], np.float32) + (ratio - 1) / 2
            matrix = np.column_stack([matrix[:, :2] * ratio, matrix[:, :2] @ offset + matrix[:, 2]]).astype(np.float32)
    # Beyond the picture its border goes on: a black edge cost the age network 3 years on the UTKFace sample.
    warped = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.uint8, copy=False)


def box_matrix(box: Float32, size: int) -> Float32:
    """The transform `(2, 3)` that takes a square box `xyxy` to a `size` x `size` crop."""
    scale = size / max(float(box[2] - box[0]), 1e-3)
    return np.array([[scale, 0, -scale * box[0]], [0, scale, -scale * box[1]]], np.float32)
