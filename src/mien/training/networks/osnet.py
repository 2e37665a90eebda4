"""OSNet and OSNet-AIN: omni-scale features for person re-identification.

Zhou, Yang, Cavallaro, Xiang, "Omni-Scale Feature Learning for Person Re-Identification", ICCV 2019;
the AIN form: Zhou et al., "Learning Generalisable Omni-Scale Representations for Person Re-Identification", PAMI 2021.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from mien.training.networks.blocks import convolution

_SCALES = 4
_WIDTHS = (64, 256, 384, 512)
_INSTANCE_NORM_BLOCKS = ((True, True), (False, True), (True, False))
"""Where the architecture search of the PAMI paper put instance normalization: two blocks in each of three stages."""


class OSNet(nn.Module):
    """OSNet at any width.

    Parameters: 2,169,508 at x1.0, 630,034 at x0.5, 201,864 at x0.25. (The authors' tool prints 2,193,616 for x1.0: it
    counts the shared gate once for each of its four uses.)

    Args:
        width: multiplier of the channels: 1.0, 0.5 or 0.25 in the paper.
        dimension: length of the feature.
        adaptive_normalization: the AIN form, whose instance normalization carries over better to other cameras.

    Example:
        >>> network = OSNet(width=0.25).eval()
        >>> network(torch.zeros(2, 3, 256, 128)).shape
        torch.Size([2, 512])
    """

    def __init__(self, width: float = 1.0, dimension: int = 512, *, adaptive_normalization: bool = False) -> None:
        super().__init__()
        self.dimension = dimension
        widths = [round(width * channels) for channels in _WIDTHS]
        places = _INSTANCE_NORM_BLOCKS if adaptive_normalization else ((False, False),) * 3
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 7, 2, 3, bias=False),
            nn.InstanceNorm2d(widths[0], affine=True) if adaptive_normalization else nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        stages: list[nn.Module] = []
        for (given, wanted), (first, second) in zip(pairwise(widths), places, strict=True):
            stages += [_Block(given, wanted, first), _Block(wanted, wanted, second)]
            if wanted != widths[-1]:
                stages += [convolution(wanted, wanted, 1), nn.AvgPool2d(2)]
        self.stages = nn.Sequential(*stages, convolution(widths[-1], widths[-1], 1))
        self.reduce = nn.Sequential(nn.Linear(widths[-1], dimension), nn.BatchNorm1d(dimension), nn.ReLU(inplace=True))
        _initialize(self)

    def maps(self, images: Tensor) -> Tensor:
        """Feature maps `(B, 512 * width, H / 16, W / 16)` before pooling, for attention maps."""
        return self.stages(self.stem(images))

    def forward(self, images: Tensor) -> Tensor:
        """Features `(B, dimension)`, >= 0, of images `(B, 3, 256, 128)` or any other size from 32 x 32."""
        return self.reduce(self.maps(images).mean((2, 3)))


class _Block(nn.Module):
    """Residual block of four streams, whose receptive fields are 3, 5, 7 and 9 pixels, fused by one shared gate."""

    def __init__(self, given: int, wanted: int, instance_norm: bool) -> None:
        super().__init__()
        middle = wanted // 4
        self.enter = convolution(given, middle, 1)
        self.streams = nn.ModuleList(
            nn.Sequential(*(_light_convolution(middle) for _ in range(depth))) for depth in range(1, _SCALES + 1)
        )
        self.gate = _Gate(middle)
        norm = nn.InstanceNorm2d(wanted, affine=True) if instance_norm else nn.BatchNorm2d(wanted)
        self.leave = nn.Sequential(nn.Conv2d(middle, wanted, 1, bias=False), norm)
        self.shortcut = nn.Identity() if given == wanted else convolution(given, wanted, 1, activation=None)

    def forward(self, maps: Tensor) -> Tensor:
        entered = self.enter(maps)
        fused = sum((self.gate(stream(entered)) for stream in self.streams), torch.zeros((), device=maps.device))
        return torch.relu(self.leave(fused) + self.shortcut(maps))


class _Gate(nn.Module):
    """Channel weights in (0, 1) from the stream's own mean: the aggregation gate that all streams share."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(channels // 16, 1)
        self.squeeze = nn.Conv2d(channels, hidden, 1)
        self.excite = nn.Conv2d(hidden, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        hidden = torch.relu(self.squeeze(maps.mean((2, 3), keepdim=True)))
        return maps * torch.sigmoid(self.excite(hidden))


def _light_convolution(channels: int) -> nn.Sequential:
    """Pointwise, then depthwise 3x3: the order is the reverse of MobileNet's, with nothing in between."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.Conv2d(channels, channels, 3, 1, 1, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


def _initialize(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.01)
            nn.init.zeros_(module.bias)
