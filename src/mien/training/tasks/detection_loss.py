"""The losses of a detector's cells: objectness, quality of the box, box, landmarks.

Weights and choice as in Wu, Peng, Yu, "YuNet", 2023; the box loss is EIoU (Zhang et al., "Focal and Efficient IOU
Loss for Accurate Bounding Box Regression", Neurocomputing 2022).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.tasks.detection_targets import assign

_BOX_WEIGHT = 5.0
_LANDMARK_WEIGHT = 0.1
_LARGEST_LOG_SIZE = 8.0


def eiou_loss(boxes: Tensor, expected: Tensor) -> Tensor:
    """Distance of boxes from the expected ones, `(P, 4)` each, xyxy: `(P,)`, 0 where they are equal.

    1 - IoU, plus the squared distances of the centres, the widths and the heights, each relative to the smallest box
    that holds both.
    """
    low = torch.maximum(boxes[:, :2], expected[:, :2])
    high = torch.minimum(boxes[:, 2:], expected[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    size, wanted = (corners[:, 2:] - corners[:, :2] for corners in (boxes, expected))
    overlap = shared / (size.prod(1) + wanted.prod(1) - shared).clamp(min=1e-6)
    hull = torch.maximum(boxes[:, 2:], expected[:, 2:]) - torch.minimum(boxes[:, :2], expected[:, :2])
    hull = hull.square().clamp(min=1e-6)
    offset = (boxes[:, :2] + boxes[:, 2:] - expected[:, :2] - expected[:, 2:]).square().sum(1) / 4
    return 1 - overlap + offset / hull.sum(1) + ((size - wanted).square() / hull).sum(1)


def boxes_of(raw: Tensor, places: Tensor) -> Tensor:
    """Boxes xyxy in pixels `(..., N, 4)` that raw cells `(..., N, 6+)` at places `(N, 3)` stand for."""
    stride = places[:, 2:]
    centre = raw[..., 2:4] * stride + places[:, :2]
    half = raw[..., 4:6].clamp(max=_LARGEST_LOG_SIZE).exp() * stride / 2
    return torch.cat([centre - half, centre + half], -1)


def detection_loss(
    raw: Tensor, places: Tensor, boxes: Tensor, kinds: Tensor, points: Tensor | None
) -> dict[str, Tensor]:
    """The loss of a batch and its parts, scalars.

    Args:
        raw: `(B, N, 6 + 2 L)`, the strides of `AnchorFreeDetector.raw` one after the other.
        places: `(N, 3)`, from `mien.training.tasks.detection_targets.cells`.
        boxes: `(B, K, 4)`, xyxy in pixels.
        kinds: `(B, K)`: what each of them is: 1 an object, 2 a region to be ignored, 0 nothing (a row that only fills
            up the batch).
        points: `(B, K, L, 2)`: landmarks in pixels, NaN where they are not known; None where L is 0.

    Returns:
        `loss` and its weighted parts `object`, `quality`, `box`, `landmark`, each relative to the number of cells that
        have an object.
    """
    raw = raw.float()
    present = boxes_of(raw, places)
    scores = (raw[..., 0].sigmoid() * raw[..., 1].sigmoid()).sqrt()
    targets = [
        assign(places, present[row], scores[row], boxes[row][kinds[row] == 1], boxes[row][kinds[row] == 2])
        for row in range(len(raw))
    ]
    positive = torch.stack([target.positive for target in targets])
    counted = torch.stack([target.counted for target in targets])
    number = positive.sum().clamp(min=1)
    objectness = functional.binary_cross_entropy_with_logits(raw[..., 1], positive.float(), reduction="none")
    parts = {"object": (objectness * counted).sum() / number}

    owned = [boxes[row][kinds[row] == 1][target.objects] for row, target in enumerate(targets)]
    overlap = torch.cat([target.overlap for target in targets])
    quality = functional.binary_cross_entropy_with_logits(raw[..., 0][positive], overlap, reduction="sum")
    parts["quality"] = quality / number
    parts["box"] = _BOX_WEIGHT * eiou_loss(present[positive], torch.cat(owned)).sum() / number
    if points is not None:
        marks = torch.cat([points[row][kinds[row] == 1][target.objects] for row, target in enumerate(targets)])
        parts["landmark"] = _LANDMARK_WEIGHT * _landmark_loss(
            raw[..., 6:][positive], marks, _repeated(places, positive)
        )
    return {"loss": torch.stack(list(parts.values())).sum(), **parts}


def _repeated(places: Tensor, positive: Tensor) -> Tensor:
    return places.expand(len(positive), *places.shape)[positive]


def _landmark_loss(raw: Tensor, marks: Tensor, places: Tensor) -> Tensor:
    """Smooth L1 in units of the stride, summed over an object's points, averaged over those whose points are known."""
    known = marks.isfinite().all(2).all(1)
    if not known.any():
        return raw.sum() * 0
    expected = (marks[known] - places[known, None, :2]) / places[known, None, 2:]
    found = raw[known].reshape(expected.shape)
    return functional.smooth_l1_loss(found, expected, reduction="sum") / known.sum()
