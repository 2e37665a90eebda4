"""A margin added to an angle, from its cosine."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cosine_plus_margin(cosine: Tensor, margin: float) -> Tensor:
    """`cos(angle + margin)`, made to go on falling where `angle + margin` is beyond 180 degrees.

    There, that is for cosines of at most `cos(pi - margin)`, the value is `cosine - margin * sin(margin)`, as in the
    published implementation of ArcFace. The derivative stays finite at cosines of 1 and -1.

    Args:
        cosine: any shape; may leave [-1, 1] by rounding.
        margin: in radians, 0 to pi.

    Returns:
        as `cosine`.

    Example:
        >>> cosine_plus_margin(torch.tensor([0.0, -1.0]), math.pi / 6)
        tensor([-0.5000, -1.2618])
    """
    sine = (1 - cosine * cosine).clamp(min=torch.finfo(cosine.dtype).eps).sqrt()
    turned = cosine * math.cos(margin) - sine * math.sin(margin)
    return torch.where(cosine > math.cos(math.pi - margin), turned, cosine - margin * math.sin(margin))


def angle_of(cosine: Tensor) -> Tensor:
    """The angle in radians, 0 to pi, with a finite derivative everywhere."""
    rest = torch.finfo(cosine.dtype).eps
    return cosine.clamp(-1 + rest, 1 - rest).acos()
