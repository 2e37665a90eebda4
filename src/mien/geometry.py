"""Boxes, transforms and letterboxes: arrays in, arrays out. Boxes are `xyxy` in pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.records import Float32

FloatArray = NDArray[Any]


def box_area(boxes: FloatArray) -> FloatArray:
    """Area of boxes `(..., 4)` in square pixels `(...)`; 0 for boxes that are turned inside out."""
    size = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    return size[..., 0] * size[..., 1]


def iou_matrix(first: FloatArray, second: FloatArray) -> FloatArray:
    """Intersection over union of boxes `(N, 4)` with boxes `(M, 4)`: `(N, M)` in [0, 1].

    Example:
        >>> iou_matrix(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]])).round(3)
        array([[0.333]])
    """
    left = np.maximum(first[:, None, 0], second[None, :, 0])
    top = np.maximum(first[:, None, 1], second[None, :, 1])
    right = np.minimum(first[:, None, 2], second[None, :, 2])
    bottom = np.minimum(first[:, None, 3], second[None, :, 3])
    overlap = np.maximum(right - left, 0) * np.maximum(bottom - top, 0)
    union = box_area(first)[:, None] + box_area(second)[None] - overlap
    return overlap / np.maximum(union, np.finfo(np.float32).tiny)


def suppress(boxes: FloatArray, scores: FloatArray, overlap: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression.

    Args:
        boxes: `(N, 4)`.
        scores: `(N,)`.
        overlap: a box whose IoU with a better one is above this is dropped.

    Returns:
        Indices of the kept boxes, best first.
    """
    order = np.argsort(-scores, kind="stable")
    area = box_area(boxes)
    kept = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        corner = np.maximum(boxes[best, :2], boxes[rest, :2])
        size = np.maximum(np.minimum(boxes[best, 2:], boxes[rest, 2:]) - corner, 0)
        shared = size[:, 0] * size[:, 1]
        order = rest[shared <= overlap * (area[best] + area[rest] - shared)]
    return np.array(kept, dtype=np.intp)


def square_box(box: Float32, scale: float = 1.0) -> Float32:
    """The square with the centre of `box` `(4,)` and `scale` times its longer side, `(4,)`."""
    centre = (box[:2] + box[2:]) / 2
    half = np.float32(max(box[2] - box[0], box[3] - box[1]) * scale / 2)
    return np.concatenate([centre - half, centre + half]).astype(np.float32)


def similarity_transform(source: FloatArray, target: FloatArray) -> Float32:
    """Least-squares similarity (rotation, uniform scale, translation) that takes points to points.

    Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991;
    in the plane it is a linear least-squares problem in (a, b, tx, ty) and has this closed form.

    Args:
        source: `(N, 2)`, at least two distinct points.
        target: `(N, 2)`.

    Returns:
        float32 `(2, 3)`: `target ~ source @ matrix[:, :2].T + matrix[:, 2]`. Reflections are never returned.

    Raises:
        ValueError: all source points coincide.
    """
    source64, target64 = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_mean, target_mean = source64.mean(0), target64.mean(0)
    p, q = source64 - source_mean, target64 - target_mean
    spread = float((p * p).sum())
    if not spread > 0:
        raise ValueError(f"all {len(source64)} source points coincide; a similarity needs two distinct ones")
    a = float((p * q).sum()) / spread
    b = float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()) / spread
    linear = np.array([[a, -b], [b, a]])
    shift = target_mean - linear @ source_mean
    return np.column_stack([linear, shift]).astype(np.float32)


def polygon_depth(points: FloatArray, corners: FloatArray) -> NDArray[np.float64]:
    """How far points lie inside a polygon: distance to its nearest side, negative outside.

    Args:
        points: `(N, 2)`.
        corners: `(C, 2)` in order around it, C >= 3; the last one is joined with the first. It must not cross itself.

    Returns:
        float64 `(N,)` in the points' unit.

    Example:
        >>> polygon_depth(np.array([[1.0, 1], [5, 2]]), np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])).tolist()
        [1.0, -1.0]
    """
    side = np.concatenate([corners[1:], corners[:1]]) - corners
    offset = points[:, None] - corners
    along = np.einsum("nci,ci->nc", offset, side) / np.einsum("ci,ci->c", side, side)
    nearest = offset - np.clip(along, 0, 1)[..., None] * side
    distance = np.sqrt(np.einsum("nci,nci->nc", nearest, nearest).min(axis=1))
    # Even-odd rule: a ray to the right meets the sides an odd number of times from inside.
    below = offset[..., 1] < 0
    next_below = np.concatenate([below[:, 1:], below[:, :1]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = offset[..., 0] - offset[..., 1] * side[:, 0] / side[:, 1]
    meets = (below != next_below) & (reach < 0)
    return np.where(meets.sum(axis=1) % 2 == 1, distance, -distance)
