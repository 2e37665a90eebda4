"""Combined margins: SphereFace's factor, ArcFace's angle and CosFace's cosine together."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mien.training.heads.angles import angle_of
from mien.training.heads.head import Head


class CombinedMargin(Head):
    """The own class's value is `cos(factor * angle + angular) - additive`.

    Deng et al., "ArcFace", CVPR 2019 (its CM1 is 1, 0.3, 0.2). Beyond 180 degrees the cosine is continued
    falling and without a jump, as in Liu et al., "SphereFace", CVPR 2017: `(-1)^k cos(phi) - 2k` for `phi` in
    `[k pi, (k + 1) pi]`. A factor of 4 alone is SphereFace on normalized features.

    Args:
        scale: of the cosines.
        factor: m1, at least 1.
        angular: m2, in radians.
        additive: m3, in cosine.
    """

    def __init__(self, scale: float = 64.0, factor: float = 1.0, angular: float = 0.3, additive: float = 0.2) -> None:
        super().__init__(scale)
        self.factor, self.angular, self.additive = factor, angular, additive

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """`cos(factor * angle + angular) - additive`, continued beyond 180 degrees, `(B,)`."""
        angle = self.factor * angle_of(cosine) + self.angular
        half_turns = (angle.detach() / math.pi).floor()
        sign = 1 - 2 * torch.remainder(half_turns, 2)
        return sign * angle.cos() - 2 * half_turns - self.additive
