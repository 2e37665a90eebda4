"""AdaFace: the margin follows the picture's quality, read off the length of its feature."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mien.training.heads.angles import angle_of
from mien.training.heads.head import Head


class AdaFace(Head):
    """The own class's value is `cos(angle - margin * q) - margin * (1 + q)`, q in [-1, 1].

    Kim, Jain, Liu, "AdaFace: quality adaptive margin for face recognition", CVPR 2022: q is the feature's
    length, standardized by running statistics of the batches, times `concentration` and cut at -1 and 1.
    Hard pictures count where q is high; where it is low the margin is ArcFace's with its sign turned.

    Args:
        scale: of the cosines.
        margin: m.
        concentration: h; 0.33 keeps about 68% of a batch within a third of the margin.
        momentum: how much of the old statistics stays at each step.

    Attributes:
        norm_mean, norm_deviation: running statistics of lengths; they start at the published 20 and 100.
    """

    norm_mean: Tensor
    norm_deviation: Tensor

    def __init__(
        self, scale: float = 64.0, margin: float = 0.4, concentration: float = 0.333, momentum: float = 0.99
    ) -> None:
        super().__init__(scale)
        self.margin, self.concentration, self.momentum = margin, concentration, momentum
        self.register_buffer("norm_mean", torch.tensor(20.0))
        self.register_buffer("norm_deviation", torch.tensor(100.0))

    def observe(self, cosine: Tensor, norm: Tensor) -> None:
        """Move the statistics towards the batch's; its deviation is left out of a batch of one."""
        length = norm.clamp(0.001, 100).to(self.norm_mean.dtype)
        self.norm_mean.lerp_(length.mean(), 1 - self.momentum)
        if len(length) > 1:
            self.norm_deviation.lerp_(length.std(), 1 - self.momentum)

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """`cos(angle - margin * q) - margin * (1 + q)`, `(B,)`; the angle is kept within 0 and 180 degrees."""
        length = norm.clamp(0.001, 100)
        quality = self.concentration * (length - self.norm_mean) / (self.norm_deviation + 0.001)
        quality = quality.clamp(-1, 1)
        angle = (angle_of(cosine) - self.margin * quality).clamp(0.001, math.pi - 0.001)
        return angle.cos() - self.margin * (1 + quality)
