"""Which cells of a detector learn which object: SimOTA.

Ge, Liu, Wang, Li, Sun, "YOLOX: Exceeding YOLO Series in 2021", section 2.1: each object takes the cells that would
cost it least, as many as the overlaps of its ten best boxes add up to.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_RADIUS = 2.5
"""Distance of a cell's centre from the object's, in cells, up to which the cell may take it."""
_OVERLAP_WEIGHT = 3.0
_BEST = 10
_OUTSIDE = 1e5
"""Cost of a cell that lies in the object's box or near its centre, but not both: taken only where none is better."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What one picture's cells shall say.

    Attributes:
        positive: bool `(N,)`: cells that have an object.
        objects: int64 `(P,)`: the object of each of them, in the order of the cells.
        overlap: float32 `(P,)`: IoU of their present boxes with it.
        counted: bool `(N,)`: cells whose objectness is trained; the others lie in a region to be ignored.
    """

    positive: Tensor
    objects: Tensor
    overlap: Tensor
    counted: Tensor


def cells(height: int, width: int, strides: tuple[int, ...], device: torch.device | None = None) -> Tensor:
    """Left, top and stride in pixels of all cells of a picture, float32 `(N, 3)`: stride by stride, row by row."""
    parts = []
    for stride in strides:
        rows = torch.arange(height // stride, dtype=torch.float32, device=device) * stride
        columns = torch.arange(width // stride, dtype=torch.float32, device=device) * stride
        top, left = torch.meshgrid(rows, columns, indexing="ij")
        parts.append(torch.stack([left, top, torch.full_like(left, stride)], 2).reshape(-1, 3))
    return torch.cat(parts)


def overlaps(first: Tensor, second: Tensor) -> Tensor:
    """IoU `(N, M)` of boxes `(N, 4)` with `(M, 4)`, xyxy."""
    size = torch.minimum(first[:, None, 2:], second[None, :, 2:]) - torch.maximum(
        first[:, None, :2], second[None, :, :2]
    )
    shared = size.clamp(min=0).prod(2)
    area, other = ((boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(1) for boxes in (first, second))
    return shared / (area[:, None] + other[None] - shared).clamp(min=1e-9)


@torch.no_grad()
def assign(places: Tensor, boxes: Tensor, scores: Tensor, objects: Tensor, ignored: Tensor) -> Targets:
    """Give a picture's objects to its cells.

    Args:
        places: `(N, 3)`, from `cells`.
        boxes: `(N, 4)`: what the cells say at present, xyxy in pixels.
        scores: `(N,)`: how sure they are, in [0, 1].
        objects: `(K, 4)`: the true boxes.
        ignored: `(M, 4)`: regions where finding something is neither right nor wrong.
    """
    centre = places[:, :2] + places[:, 2:] / 2
    counted = ~_inside(centre, ignored).any(1)
    nothing = torch.zeros(0, dtype=torch.int64, device=places.device)
    positive = torch.zeros(len(places), dtype=torch.bool, device=places.device)
    if not len(objects):
        return Targets(positive, nothing, scores[:0], counted)
    within = _inside(centre, objects)
    distance = (centre[:, None] - ((objects[:, :2] + objects[:, 2:]) / 2)[None]).abs().amax(2)
    near = distance < _RADIUS * places[:, 2:]
    candidates = (within | near).any(1).nonzero()[:, 0]
    if not len(candidates):
        return Targets(positive, nothing, scores[:0], counted)
    overlap = overlaps(boxes[candidates], objects)
    cost = -overlap.clamp(min=1e-8).log() * _OVERLAP_WEIGHT - scores[candidates, None].clamp(1e-8, 1).log()
    cost = cost + _OUTSIDE * ~(within & near)[candidates]
    chosen = _cheapest(cost, overlap)
    taken = chosen.any(1)
    positive[candidates[taken]] = True
    owner = torch.where(chosen[taken], cost[taken], torch.inf).argmin(1)
    return Targets(positive, owner, overlap[taken].gather(1, owner[:, None])[:, 0], counted | positive)


def _inside(points: Tensor, boxes: Tensor) -> Tensor:
    """Whether points `(N, 2)` lie in boxes `(M, 4)`: `(N, M)`."""
    return ((points[:, None] > boxes[None, :, :2]) & (points[:, None] < boxes[None, :, 2:])).all(2)


def _cheapest(cost: Tensor, overlap: Tensor) -> Tensor:
    """Bool `(C, K)`: the cells that each object takes."""
    most = min(_BEST, len(cost))
    wanted = overlap.topk(most, dim=0).values.sum(0).int().clamp(min=1, max=most)
    rank = cost.argsort(0).argsort(0)
    return rank < wanted[None]
