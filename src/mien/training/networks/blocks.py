"""Blocks that several networks share."""

from __future__ import annotations

from torch import nn


def convolution(
    given: int,
    wanted: int,
    kernel: int,
    stride: int = 1,
    *,
    groups: int = 1,
    activation: type[nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """Convolution without bias, batch normalization and an activation: `(B, given, H, W)` -> `(B, wanted, H/s, W/s)`.

    Args:
        given: channels in.
        wanted: channels out.
        kernel: side of the kernel, odd; the padding keeps the size at stride 1.
        stride: step.
        groups: groups of channels; `given` makes it depthwise.
        activation: class of the activation, `nn.PReLU` with one slope a channel; None for none.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(given, wanted, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(wanted),
    ]
    if activation is nn.PReLU:
        layers.append(nn.PReLU(wanted))
    elif activation is not None:
        layers.append(activation())
    return nn.Sequential(*layers)
