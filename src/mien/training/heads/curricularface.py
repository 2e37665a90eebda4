"""CurricularFace: hard classes weigh little at first and more as training goes on."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.training.heads.angles import cosine_plus_margin
from mien.training.heads.head import Head


class CurricularFace(Head):
    """ArcFace for the own class; classes closer than that have `cosine * (t + cosine)`.

    Huang et al., "CurricularFace: adaptive curriculum learning loss for deep face recognition", CVPR 2020. `t` is
    the running mean of the own classes' cosines, updated before it is used.

    Args:
        scale: of the cosines.
        margin: in radians.
        momentum: how much of the old `t` stays at each step.

    Attributes:
        t: the running mean; 0 at the start.
    """

    t: Tensor

    def __init__(self, scale: float = 64.0, margin: float = 0.5, momentum: float = 0.99) -> None:
        super().__init__(scale)
        self.margin, self.momentum = margin, momentum
        self.register_buffer("t", torch.zeros(()))

    def observe(self, cosine: Tensor, norm: Tensor) -> None:
        """Move `t` towards the mean of the own classes' cosines."""
        self.t.lerp_(cosine.mean().to(self.t.dtype), 1 - self.momentum)

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """`cos(angle + margin)`, `(B,)`."""
        return cosine_plus_margin(cosine, self.margin)

    def others(self, cosine: Tensor, target: Tensor) -> Tensor:
        """`cosine * (t + cosine)` where the class is closer than the own one with its margin, as `cosine`."""
        return torch.where(cosine > target, cosine * (self.t + cosine), cosine)
