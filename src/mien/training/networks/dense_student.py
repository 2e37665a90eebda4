"""A small residual network of plain 3x3 convolutions, for embedders that are trained without a GPU.

Depthwise networks have fewer multiplications, but CPUs reach a fraction of their speed on them; dense convolutions
on few, coarse maps (the stem reduces by 4 at once) train several times faster at equal accuracy. The blocks follow
He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; the head, which keeps where in the picture a
feature was seen, follows Chen et al., "MobileFaceNets", CCBR 2018 (global depthwise convolution).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

_STRIDE = 16
_HEAD_WIDTH = 512


class DenseStudent(nn.Module):
    """Embedder of pictures of one size.

    Args:
        size: height and width of the pictures, multiples of 16.
        widths: channels of the three stages, at 1/4, 1/8 and 1/16 of the picture's side.
        depths: residual blocks of the three stages.
        dimension: length of the embedding.

    Attributes:
        dimension: length of the embedding.
        map_widths: channels of the maps that `features` gives.
    """

    def __init__(
        self,
        size: Sequence[int] = (80, 80),
        widths: Sequence[int] = (48, 96, 160),
        depths: Sequence[int] = (1, 3, 2),
        dimension: int = 256,
    ) -> None:
        super().__init__()
        self.dimension = dimension
        self.map_widths = (widths[1], widths[2])
        self.stem = nn.Sequential(nn.Conv2d(3, widths[0], 7, 4, 3, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU())
        self.fine = _stage(widths[0], widths[0], depths[0], stride=1)
        self.middle = _stage(widths[0], widths[1], depths[1], stride=2)
        self.coarse = _stage(widths[1], widths[2], depths[2], stride=2)
        self.expand = nn.Sequential(
            nn.Conv2d(widths[2], _HEAD_WIDTH, 1, bias=False), nn.BatchNorm2d(_HEAD_WIDTH), nn.ReLU()
        )
        self.gather = nn.Sequential(
            nn.Conv2d(
                _HEAD_WIDTH, _HEAD_WIDTH, (size[0] // _STRIDE, size[1] // _STRIDE), groups=_HEAD_WIDTH, bias=False
            ),
            nn.BatchNorm2d(_HEAD_WIDTH),
        )
        self.project = nn.Linear(_HEAD_WIDTH, dimension)

    def forward(self, pictures: Tensor) -> Tensor:
        """Embeddings `(B, dimension)`, not normalized, of normalized RGB pictures float32 `(B, 3, H, W)`."""
        return self.features(pictures)[0]

    def features(self, pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Embeddings `(B, dimension)` and the maps of the stages at 1/8 and 1/16 of the side, for hints."""
        middle = self.middle(self.fine(self.stem(pictures)))
        coarse = self.coarse(middle)
        gathered = self.gather(self.expand(coarse))
        return self.project(gathered.flatten(1)), middle, coarse


def _stage(before: int, width: int, depth: int, stride: int) -> nn.Sequential:
    first = ResidualBlock(before, width, stride)
    return nn.Sequential(first, *(ResidualBlock(width, width) for _ in range(depth - 1)))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: `(B, before, H, W)` to `(B, width, H / stride, W / stride)`."""

    def __init__(self, before: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.convolved = nn.Sequential(
            nn.Conv2d(before, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.shortcut: nn.Module = nn.Identity()
        if before != width or stride > 1:
            # The mean of what a stride would skip (He et al., "Bag of Tricks", CVPR 2019, ResNet-D).
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride) if stride > 1 else nn.Identity(),
                nn.Conv2d(before, width, 1, bias=False),
                nn.BatchNorm2d(width),
            )

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.convolved(maps) + self.shortcut(maps))
