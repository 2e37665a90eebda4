"""DPN-92: residual and densely connected paths side by side.

Chen, Li, Xiao, Jin, Yan, Feng, "Dual Path Networks", NeurIPS 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.training.networks.resnet50 import initialize

_REPEATS = (3, 4, 20, 3)
_GROWTH = (16, 32, 24, 128)
_GROUPS = 32


class DPN92(nn.Module):
    """DPN-92 up to the mean over its last maps.

    Parameters: 34,979,392 (37,668,392 with the 1000 classes of ImageNet).

    Example:
        >>> DPN92().eval()(torch.zeros(1, 3, 64, 64)).shape
        torch.Size([1, 2688])
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
        )
        blocks: list[nn.Module] = []
        given = 64
        for number, (repeats, growth) in enumerate(zip(_REPEATS, _GROWTH, strict=True)):
            residual = 256 * 2**number
            for repeat in range(repeats):
                first = repeat == 0
                blocks.append(_Block(given, residual, growth, 2 if first and number else 1, first=first))
                given = residual + 3 * growth if first else given + growth
        self.blocks = nn.ModuleList(blocks)
        self.finish = _activated(given)
        self.dimension = given
        initialize(self)

    def forward(self, images: Tensor) -> Tensor:
        """Features `(B, 2688)`, >= 0, of images `(B, 3, H, W)` from 32 x 32; the paper's are 224 x 224."""
        residual = self.stem(images)
        dense = residual[:, :0]
        for block in self.blocks:
            residual, dense = block(residual, dense)
        return self.finish(torch.cat([residual, dense], 1)).mean((2, 3))


class _Block(nn.Module):
    """Pre-activated 1x1, grouped 3x3, 1x1; what comes out is added to the one path and appended to the other."""

    def __init__(self, given: int, residual: int, growth: int, stride: int, *, first: bool) -> None:
        super().__init__()
        middle = 96 * residual // 256
        self.residual = residual
        self.layers = nn.Sequential(
            _activated(given),
            nn.Conv2d(given, middle, 1, bias=False),
            _activated(middle),
            nn.Conv2d(middle, middle, 3, stride, 1, groups=_GROUPS, bias=False),
            _activated(middle),
            nn.Conv2d(middle, residual + growth, 1, bias=False),
        )
        self.project = (
            nn.Sequential(_activated(given), nn.Conv2d(given, residual + 2 * growth, 1, stride, bias=False))
            if first
            else None
        )

    def forward(self, residual: Tensor, dense: Tensor) -> tuple[Tensor, Tensor]:
        together = torch.cat([residual, dense], 1)
        if self.project is not None:
            projected = self.project(together)
            residual, dense = projected[:, : self.residual], projected[:, self.residual :]
        made = self.layers(together)
        return residual + made[:, : self.residual], torch.cat([dense, made[:, self.residual :]], 1)


def _activated(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
