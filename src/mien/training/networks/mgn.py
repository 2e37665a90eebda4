"""MGN: a person's feature at three granularities.

Wang, Yuan, Chen, Li, Zhou, "Learning Discriminative Features with Multiple Granularities for Person
Re-Identification", ACM Multimedia 2018.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.training.networks.blocks import convolution
from mien.training.networks.branches import Branches
from mien.training.networks.resnet50 import initialize, stage, stem

_STRIPES = (1, 2, 3)
"""Horizontal parts of the global, the part-2 and the part-3 branch."""


class MGN(nn.Module):
    """Three branches over a shared ResNet-50 up to res4_1: global, two stripes, three stripes.

    The branches hold copies of the rest of stage 3 and of stage 4; the part branches keep stage 4 at stride 1. Each
    branch is pooled by maximum, whole, and stripe by stripe, and each of the eight vectors is reduced to 256 channels.
    Softmax losses: the three whole ones before reduction (2048-d) and the five stripes (256-d). Triplet losses: the
    three whole ones after reduction. The test feature is the eight reduced ones together.

    Args:
        part_dimension: length of each reduced vector.

    Example:
        >>> MGN().eval()(torch.zeros(1, 3, 384, 128)).shape
        torch.Size([1, 2048])
    """

    def __init__(self, part_dimension: int = 256) -> None:
        super().__init__()
        third = stage(3, 2)
        self.trunk = nn.Sequential(stem(), stage(1, 1), stage(2, 2), third[0])
        initialize(third)
        self.branches = nn.ModuleList(
            nn.Sequential(copy.deepcopy(third[1:]), stage(4, 2 if stripes == 1 else 1)) for stripes in _STRIPES
        )
        vectors = sum(1 + (stripes if stripes > 1 else 0) for stripes in _STRIPES)
        self.reductions = nn.ModuleList(convolution(2048, part_dimension, 1) for _ in range(vectors))
        initialize(self)
        self.dimension = vectors * part_dimension
        self.classified_dimensions = (2048,) * len(_STRIPES) + (part_dimension,) * (vectors - len(_STRIPES))

    def forward(self, images: Tensor) -> Tensor | Branches:
        """Images `(B, 3, 384, 128)`, or any size whose height 96 divides and whose width 32 divides.

        Returns:
            Eval mode: `(B, 8 * part_dimension)`. Training mode: `metric` holds 3 and `classified` 8 tensors.
        """
        shared = self.trunk(images)
        whole: list[Tensor] = []
        parts: list[Tensor] = []
        for stripes, branch in zip(_STRIPES, self.branches, strict=True):
            maps = branch(shared)
            whole.append(maps.amax((2, 3)))
            if stripes > 1:
                batch, channels, height, width = maps.shape
                striped = maps.reshape(batch, channels, stripes, height // stripes * width).amax(3)
                parts += list(striped.unbind(2))
        reduced = [
            reduction(vector[:, :, None, None]).flatten(1)
            for reduction, vector in zip(self.reductions, whole + parts, strict=True)
        ]
        if self.training:
            return Branches(metric=tuple(reduced[: len(whole)]), classified=(*whole, *reduced[len(whole) :]))
        return functional.normalize(torch.cat(reduced, 1))
