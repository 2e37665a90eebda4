"""ResNet-50, the field's baseline for person re-identification (IDE), with instance normalization where asked for.

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, with the stride in the 3x3 convolution
(the form whose ImageNet weights everybody uses); IBN-a: Pan, Luo, Shi, Tang, "Two at Once: Enhancing Learning and
Generalization Capacities via IBN-Net", ECCV 2018; the last stage at stride 1: Sun et al. (PCB), ECCV 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_REPEATS = (3, 4, 6, 3)
_CHANNELS = (64, 128, 256, 512)


class ResNet50(nn.Module):
    """ResNet-50 up to the mean over its last maps.

    Parameters: 23,508,032 (25,557,032 with the 1000 classes of ImageNet), the same with IBN-a.

    Args:
        last_stride: 2 as published, or 1 for maps twice as fine, as re-identification likes them.
        instance_normalization: IBN-a: half of the first normalization's channels in the blocks of stages 1 to 3 are
            normalized picture by picture.

    Example:
        >>> ResNet50().eval()(torch.zeros(1, 3, 64, 32)).shape
        torch.Size([1, 2048])
    """

    dimension = 2048

    def __init__(self, last_stride: int = 1, *, instance_normalization: bool = False) -> None:
        super().__init__()
        self.stem = stem()
        self.stages = nn.Sequential(
            *(
                stage(number, last_stride if number == 4 else 2, instance_normalization=instance_normalization)
                for number in (1, 2, 3, 4)
            )
        )
        initialize(self)

    def maps(self, images: Tensor) -> Tensor:
        """Feature maps `(B, 2048, H / s, W / s)` before pooling, s = 16 * last_stride."""
        return self.stages(self.stem(images))

    def forward(self, images: Tensor) -> Tensor:
        """Features `(B, 2048)`, >= 0, of images `(B, 3, H, W)`; the paper's people are 256 x 128."""
        return self.maps(images).mean((2, 3))


def stem() -> nn.Sequential:
    """7x7 convolution and pooling: `(B, 3, H, W)` -> `(B, 64, H/4, W/4)`."""
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)
    )


def stage(number: int, stride: int, *, instance_normalization: bool = False) -> nn.Sequential:
    """Residual stage `number`, 1 (the paper's conv2_x) to 4 (conv5_x).

    Args:
        number: 1 to 4.
        stride: of the first block; stage 1 has stride 1 whatever is given.
        instance_normalization: IBN-a; stage 4 has none in any case.
    """
    channels = _CHANNELS[number - 1]
    given = 64 if number == 1 else channels * 2
    mixed = instance_normalization and number < 4
    first = _Bottleneck(given, channels, 1 if number == 1 else stride, mixed)
    rest = (_Bottleneck(channels * 4, channels, 1, mixed) for _ in range(_REPEATS[number - 1] - 1))
    return nn.Sequential(first, *rest)


def initialize(network: nn.Module) -> None:
    """He initialization of all convolutions of a network."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")


class _Bottleneck(nn.Module):
    def __init__(self, given: int, middle: int, stride: int, mixed: bool) -> None:
        super().__init__()
        wanted = middle * 4
        self.layers = nn.Sequential(
            nn.Conv2d(given, middle, 1, bias=False),
            InstanceBatchNorm(middle) if mixed else nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, middle, 3, stride, 1, bias=False),
            nn.BatchNorm2d(middle),
            nn.ReLU(inplace=True),
            nn.Conv2d(middle, wanted, 1, bias=False),
            nn.BatchNorm2d(wanted),
        )
        self.shortcut = (
            nn.Identity()
            if given == wanted and stride == 1
            else nn.Sequential(nn.Conv2d(given, wanted, 1, stride, bias=False), nn.BatchNorm2d(wanted))
        )

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(self.layers(maps) + self.shortcut(maps))


class InstanceBatchNorm(nn.Module):
    """IBN-a: the first half of the channels normalized over each picture, the second half over the batch."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.normalized = channels // 2
        self.instance = nn.InstanceNorm2d(self.normalized, affine=True)
        self.batch = nn.BatchNorm2d(channels - self.normalized)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps `(B, C, H, W)` of the same shape."""
        return torch.cat([self.instance(maps[:, : self.normalized]), self.batch(maps[:, self.normalized :])], 1)
