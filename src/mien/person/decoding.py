"""What the person detectors' outputs mean: rows of box and score in the pixels of the network's input.

One function a network; each takes the outputs for a batch of one and leaves out rows below the least score.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.models.runtime import Outputs
from mien.records import Float32

_STRIDES = (8, 16, 32)
_PERSON = 0
"""Of COCO's 80 classes."""
_PERSON_OF_SSD = 1
"""Of retail-0013's classes; 0 is the background."""


def decode_yolox(outputs: Outputs, height: int, width: int, least: float) -> Float32:
    """YOLOX's grid. Ge et al., "YOLOX: Exceeding YOLO Series in 2021", 2021, section 2.1.

    Args:
        outputs: one array `(1, N, 5 + C)`: centre within the cell and log of the size, in strides; objectness; C of
            COCO's classes, people first.
        height, width: of the network's input in pixels, multiples of 32.
        least: least score in [0, 1].

    Returns:
        float32 `(M, 5)`: box xyxy and score, objectness times class probability.
    """
    (grid,) = outputs.values()
    rows = grid[0]
    scores = rows[:, 4] * rows[:, 5 + _PERSON]
    (cells,) = np.nonzero(scores >= least)
    return np.column_stack([_boxes(rows[cells, :4], cells, height, width), scores[cells]]).astype(np.float32)


def decode_nanodet(outputs: Outputs, height: int, width: int, least: float) -> Float32:
    """NanoDet's distributions. Li et al., "Generalized Focal Loss", NeurIPS 2020: each side's distance from the
    cell's centre is the mean of a distribution over 0 to 7 strides.

    Args:
        outputs: for S in 8, 16, 32 `cls_pred_stride_S` `(1, N, 80)` probabilities and `dis_pred_stride_S` `(1, N, 32)`.
        height, width: of the network's input in pixels, multiples of 32.
        least: least score in [0, 1].

    Returns:
        float32 `(M, 5)`: box xyxy and score.
    """
    scores = np.concatenate([outputs[f"cls_pred_stride_{stride}"][0, :, _PERSON] for stride in _STRIDES])
    bins = np.concatenate([outputs[f"dis_pred_stride_{stride}"][0] for stride in _STRIDES])
    (cells,) = np.nonzero(scores >= least)
    corner, stride = _cells(height, width)
    centre, stride = (corner[cells] + 0.5) * stride[cells, None], stride[cells, None]
    values = bins[cells].reshape(-1, 4, 8)
    weights = np.exp(values - values.max(2, keepdims=True))
    distance = weights @ np.arange(8, dtype=np.float32) / weights.sum(2) * stride
    return np.column_stack([centre - distance[:, :2], centre + distance[:, 2:], scores[cells]]).astype(np.float32)


def decode_ssd(outputs: Outputs, height: int, width: int, least: float) -> Float32:
    """The rows of OpenVINO's `DetectionOutput` layer.

    Args:
        outputs: one array of rows of seven: picture, class, score, and the box in fractions of the input; a row whose
            picture is -1 ends them.
        height, width: of the network's input in pixels.
        least: least score in [0, 1].

    Returns:
        float32 `(M, 5)`: box xyxy and score.
    """
    (output,) = outputs.values()
    rows = output.reshape(-1, 7)
    rows = rows[(np.cumsum(rows[:, 0] < 0) == 0) & (rows[:, 1] == _PERSON_OF_SSD) & (rows[:, 2] >= least)]
    return np.column_stack([rows[:, 3:] * np.array([width, height] * 2), rows[:, 2]]).astype(np.float32)


def decode_yunet(outputs: Outputs, height: int, width: int, least: float) -> Float32:
    """The cells of a network of YuNet's family without landmarks (`training/networks/anchor_free_detector.py`).

    Args:
        outputs: for S in 8, 16, 32 `cls_S` and `obj_S` `(1, N, 1)` in [0, 1], and `bbox_S` `(1, N, 4)`: centre within
            the cell and log of the size, in strides.
        height, width: of the network's input in pixels, multiples of 32.
        least: least score in [0, 1].

    Returns:
        float32 `(M, 5)`: box xyxy and score, the geometric mean of `cls` and `obj`.
    """
    joined = {kind: np.concatenate([outputs[f"{kind}_{s}"][0] for s in _STRIDES]) for kind in ("cls", "obj", "bbox")}
    scores = np.sqrt(np.clip(joined["cls"][:, 0] * joined["obj"][:, 0], 0, 1))
    (cells,) = np.nonzero(scores >= least)
    return np.column_stack([_boxes(joined["bbox"][cells], cells, height, width), scores[cells]]).astype(np.float32)


def _boxes(rows: Float32, cells: NDArray[np.intp], height: int, width: int) -> Float32:
    """Boxes xyxy `(M, 4)` of rows `(M, 4)`, centre within the cell and log of the size in strides, of these cells."""
    corner, stride = _cells(height, width)
    corner, stride = corner[cells], stride[cells, None]
    centre = (corner + rows[:, :2]) * stride
    half = np.exp(np.minimum(rows[:, 2:4], 8)) * (stride / 2)
    return np.column_stack([centre - half, centre + half])


def _cells(height: int, width: int) -> tuple[Float32, Float32]:
    """Column and row `(N, 2)`, and stride `(N,)`, of the cells of all three grids, row by row."""
    corners, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.divmod(np.arange((height // stride) * (width // stride)), width // stride)
        corners.append(np.stack([columns, rows], 1))
        strides.append(np.full(len(rows), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)
