"""MobileFaceNet: a face embedder of a million parameters.

Chen, Liu, Gao, Han, "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices", 2018.
"""

from __future__ import annotations

from torch import Tensor, nn

from mien.training.networks.blocks import convolution

_STAGES = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
"""Expansion, channels, repeats and stride of the first repeat: Table 1 of the paper."""


class MobileFaceNet(nn.Module):
    """MobileFaceNet: inverted residuals, PReLU, and a learned depthwise pooling in place of the mean.

    Parameters: 1,003,136; 993,344 once the normalizations are folded, the paper's "0.99 million".

    Args:
        width: multiplier of the channels; 0.5 is the half-width form.
        dimension: length of the feature.

    Example:
        >>> import torch
        >>> MobileFaceNet().eval()(torch.zeros(1, 3, 112, 112)).shape
        torch.Size([1, 128])
    """

    def __init__(self, width: float = 1.0, dimension: int = 128) -> None:
        super().__init__()
        self.dimension = dimension
        given = round(64 * width)
        layers: list[nn.Module] = [
            convolution(3, given, 3, 2, activation=nn.PReLU),
            convolution(given, given, 3, groups=given, activation=nn.PReLU),
        ]
        for expansion, channels, repeats, stride in _STAGES:
            wanted = round(channels * width)
            for repeat in range(repeats):
                layers.append(_Bottleneck(given, wanted, round(expansion * given), stride if repeat == 0 else 1))
                given = wanted
        last = round(512 * width)
        layers.append(convolution(given, last, 1, activation=nn.PReLU))
        self.layers = nn.Sequential(*layers)
        self.pool = nn.Sequential(nn.Conv2d(last, last, 7, groups=last, bias=False), nn.BatchNorm2d(last))
        self.reduce = convolution(last, dimension, 1, activation=None)

    def forward(self, images: Tensor) -> Tensor:
        """Features `(B, dimension)` of aligned faces `(B, 3, 112, 112)`; the pooling fixes that size."""
        return self.reduce(self.pool(self.layers(images))).flatten(1)


class _Bottleneck(nn.Module):
    def __init__(self, given: int, wanted: int, middle: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            convolution(given, middle, 1, activation=nn.PReLU),
            convolution(middle, middle, 3, stride, groups=middle, activation=nn.PReLU),
            convolution(middle, wanted, 1, activation=None),
        )
        self.residual = stride == 1 and given == wanted

    def forward(self, maps: Tensor) -> Tensor:
        return maps + self.layers(maps) if self.residual else self.layers(maps)
