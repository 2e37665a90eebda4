"""IResNet: the improved residual networks that face recognition trains with margin softmax.

Deng, Guo, Xue, Zafeiriou, "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019, section 3.1
(the "BN-Dropout-FC-BN" embedding and the "IR" block), after Han, Kim, Kim, "Deep Pyramidal Residual Networks", 2017.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

_DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
_CHANNELS = (64, 128, 256, 512)


class IResNet(nn.Module):
    """IResNet-18, -34, -50 or -100 for faces of 112 x 112 pixels.

    Parameters at 512-d: 24.0, 34.1, 43.6 and 65.2 million.

    Args:
        depth: 18, 34, 50 or 100.
        dimension: length of the feature.
        dropout: probability of dropping an input of the last layer.

    Example:
        >>> import torch
        >>> IResNet(18).eval()(torch.zeros(1, 3, 112, 112)).shape
        torch.Size([1, 512])
    """

    def __init__(self, depth: Literal[18, 34, 50, 100] = 50, dimension: int = 512, dropout: float = 0.0) -> None:
        super().__init__()
        self.dimension = dimension
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        blocks: list[nn.Module] = []
        given = 64
        for channels, repeats in zip(_CHANNELS, _DEPTHS[depth], strict=True):
            for repeat in range(repeats):
                blocks.append(_Block(given, channels, 2 if repeat == 0 else 1))
                given = channels
        self.blocks = nn.Sequential(*blocks)
        self.normalize = nn.Sequential(nn.BatchNorm2d(given), nn.Dropout(dropout))
        self.reduce = nn.Linear(given * 7 * 7, dimension)
        self.feature = nn.BatchNorm1d(dimension)
        # The scale of the last normalization is lost when the loss takes the cosine, so it stays 1.
        self.feature.weight.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.1)

    def forward(self, images: Tensor) -> Tensor:
        """Features `(B, dimension)` of aligned faces `(B, 3, 112, 112)`; the last layer fixes that size."""
        maps = self.normalize(self.blocks(self.stem(images)))
        return self.feature(self.reduce(maps.flatten(1)))


class _Block(nn.Module):
    """BN, 3x3, BN, PReLU, 3x3 with the stride, BN; no activation after the sum."""

    def __init__(self, given: int, wanted: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(given),
            nn.Conv2d(given, wanted, 3, 1, 1, bias=False),
            nn.BatchNorm2d(wanted),
            nn.PReLU(wanted),
            nn.Conv2d(wanted, wanted, 3, stride, 1, bias=False),
            nn.BatchNorm2d(wanted),
        )
        self.shortcut = (
            nn.Identity()
            if given == wanted and stride == 1
            else nn.Sequential(nn.Conv2d(given, wanted, 1, stride, bias=False), nn.BatchNorm2d(wanted))
        )

    def forward(self, maps: Tensor) -> Tensor:
        return self.layers(maps) + self.shortcut(maps)
