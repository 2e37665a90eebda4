"""How well a face can be recognized, from 0 to 1: before its feature is extracted, and after.

`face_quality` needs no network: it chooses the shot of a track that is worth an extraction. Its factors follow the
idea of ISO/IEC 29794-5 (sharpness, exposure, size, pose as separate components). Each curve was fitted to the cosine
between the feature of a clean LFW View 1 picture and that of its degraded copy.

`recognition_quality` is what a template carries and what `analyze` prints. It also knows the length of the raw
feature, which is short where the network found little that it knows (Parde and others, "Face and Image Representation
in Deep CNN Features", 2017; Meng and others, "MagFace", CVPR 2021): that is what orders good pictures, too.
`benchmarks/quality.py` prints the error-versus-reject table of both on LFW View 1 and what damage does to them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

from mien.records import Face, Image

_FRONTAL_NOSE = (0.0, 0.566)
"""Median position of the nose tip in the face's own coordinates on LFW View 1; see `_nose_position`."""


def face_quality(crop: Image, face: Face) -> float:
    """Quality of one face in [0, 1].

    Args:
        crop: the aligned face, RGB uint8 `(S, S, 3)`.
        face: its landmarks give size and pose, its score the detector's doubt.
    """
    inner = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[_inner(crop.shape[0])].astype(np.float32)
    contrast = float(inner.std()) + 1e-3
    fine = cv2.GaussianBlur(inner, (0, 0), 1)
    sharpness = float((fine - cv2.GaussianBlur(inner, (0, 0), 2)).std()) / contrast
    noise = float((inner - fine).std()) / contrast / max(sharpness, 1e-3)
    pixels = (
        _logistic((sharpness - 0.037) / 0.009)
        * _logistic((1.75 - noise) / 0.25)
        * (1 - np.exp(-contrast / 2.6))
        * (1 - np.exp(-(255 - float(inner.mean())) / 20))
    )
    return float(pixels) * quality_bound(face)


def quality_bound(face: Face) -> float:
    """The quality that a face can have at most, in [0, 1], from size, pose and score alone: no pixel is read."""
    # Asked of every face of every frame: plain numbers take a tenth of the time of arrays of two.
    marks = face.landmarks.tolist()
    between_eyes = math.dist(marks[0], marks[1])
    across, down = _nose_position(marks)
    return (
        (1 - math.exp(-between_eyes / 6))
        * math.exp(-(((across - _FRONTAL_NOSE[0]) / 0.3) ** 2) / 2)
        * math.exp(-(((down - _FRONTAL_NOSE[1]) / 0.12) ** 2) / 2)
        * min(max((face.score - 0.5) / 0.42, 0.0), 1.0)
    )


def recognition_quality(quality: float, norm: float, typical: tuple[float, float]) -> float:
    """Quality of an extracted feature in [0, 1].

    Args:
        quality: `face_quality` of the crop. Below one half it lowers the result; above, the feature knows better.
        norm: length of the feature before it was normalized.
        typical: 5th percentile and median of that length on good pictures; they come out near 0.5 and 0.88.
    """
    low, middle = typical
    return _logistic(2 * (norm - low) / (middle - low)) * min(1.0, quality / 0.5)


def _inner(size: int) -> tuple[slice, slice]:
    """The part of the crop that shows face rather than hair and background."""
    return slice(size * 3 // 16, size * 15 // 16), slice(size * 5 // 32, size * 27 // 32)


def _nose_position(marks: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Where the nose tip lies: across in units of the eyes' distance (0 midway), down from eyes (0) to mouth (1)."""
    (left_x, left_y), (right_x, right_y), nose, first, second = marks
    eyes_x, eyes_y = (left_x + right_x) / 2, (left_y + right_y) / 2
    across_x, across_y = right_x - left_x, right_y - left_y
    down_x, down_y = (first[0] + second[0]) / 2 - eyes_x, (first[1] + second[1]) / 2 - eyes_y
    area = across_x * down_y - down_x * across_y
    if abs(area) < 1e-6:
        # Seen from the side the axes collapse; no frontal face does that.
        return 1.0, 1.0
    x, y = nose[0] - eyes_x, nose[1] - eyes_y
    return (x * down_y - down_x * y) / area, (across_x * y - x * across_y) / area


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(value, -50, 50))))
