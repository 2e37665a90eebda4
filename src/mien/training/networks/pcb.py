"""PCB and PCB+RPP: a person's feature from horizontal parts.

Sun, Zheng, Yang, Tian, Wang, "Beyond Part Models: Person Retrieval with Refined Part Pooling (and a Strong
Convolutional Baseline)", ECCV 2018.

Refined part pooling trains in three stages, which `mien.training.tasks.part_refinement` goes through in one run:

1. `uniform`: plain PCB, until it converges;
2. `induce`: a part classifier takes the place of the uniform stripes and alone is trained: all else is frozen, the
   identity classifiers too, so that it has to find the parts that these already know;
3. `refine`: everything is trained together.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.training.networks.blocks import convolution
from mien.training.networks.branches import Branches
from mien.training.networks.resnet50 import initialize, stage, stem

Stage = Literal["uniform", "induce", "refine"]


class PCB(nn.Module):
    """ResNet-50 with the last stage at stride 1, pooled over horizontal parts, each with a reduction of its own.

    The test feature strings together the reduced parts ("feature H", 1536-d, which the paper finds equal to the eight
    times longer "feature G"), each scaled to length 1.

    Args:
        parts: number of parts.
        part_dimension: length of each part's reduced feature.
        refined: with the part classifier of refined part pooling; it starts in the stage `refine`.

    Attributes:
        stage: as set by `enter`; without refinement always `uniform`.

    Example:
        >>> PCB().eval()(torch.zeros(1, 3, 384, 128)).shape
        torch.Size([1, 1536])
    """

    def __init__(self, parts: int = 6, part_dimension: int = 256, *, refined: bool = False) -> None:
        super().__init__()
        self.parts = parts
        self.stage: Stage = "refine" if refined else "uniform"
        self.dimension = parts * part_dimension
        self.classified_dimensions = (part_dimension,) * parts
        self.backbone = _backbone()
        self.reductions = nn.ModuleList(convolution(2048, part_dimension, 1) for _ in range(parts))
        initialize(self)
        if refined:
            self.part_classifier = nn.Conv2d(2048, parts, 1, bias=False)
            nn.init.normal_(self.part_classifier.weight, 0, 0.001)

    def enter(self, stage: Stage) -> None:
        """Begin a stage of refined part pooling: choose the pooling, freeze what the stage does not train."""
        self.stage = stage
        self.requires_grad_(stage != "induce")
        self.part_classifier.requires_grad_(stage != "uniform")
        self.train(self.training)

    def train(self, mode: bool = True) -> PCB:
        """Training mode; in the stage `induce` the frozen layers' running means stay frozen too."""
        super().train(mode)
        if self.stage == "induce":
            self.backbone.eval()
            self.reductions.eval()
        return self

    def forward(self, images: Tensor) -> Tensor | Branches:
        """Images `(B, 3, 384, 128)`, or any size whose sixteenth of the height `parts` divides.

        Returns:
            Eval mode: `(B, dimension)`. Training mode: `classified` holds the parts, each `(B, part_dimension)`.
        """
        pooled = self._pool(self.backbone(images))
        reduced = tuple(
            reduction(pooled[:, :, part, None, None]).flatten(1) for part, reduction in enumerate(self.reductions)
        )
        if self.training:
            return Branches(metric=(), classified=reduced)
        return torch.cat([functional.normalize(part) for part in reduced], 1)

    def attention(self, maps: Tensor) -> Tensor:
        """Probability of each part at each place: `(B, 2048, H, W)` -> `(B, parts, H, W)`, summing to 1 over parts."""
        return self.part_classifier(maps).softmax(1)

    def _pool(self, maps: Tensor) -> Tensor:
        """`(B, 2048, H, W)` -> `(B, 2048, parts)`."""
        if self.stage == "uniform":
            batch, channels, height, width = maps.shape
            return maps.reshape(batch, channels, self.parts, height // self.parts * width).mean(3)
        weights = self.attention(maps).flatten(2)
        # Weighted mean: with weights of 0 and 1 in stripes this is the uniform pooling exactly, scale included.
        weights = weights / weights.sum(2, keepdim=True)
        return maps.flatten(2) @ weights.transpose(1, 2)


def _backbone() -> nn.Sequential:
    return nn.Sequential(stem(), stage(1, 1), stage(2, 2), stage(3, 2), stage(4, 1))
