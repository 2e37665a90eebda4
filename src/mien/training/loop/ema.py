"""A running average of a network's weights, usually better than the last ones."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average:
    """The exponential moving average of a network's parameters and buffers, as a network of its own.

    The first steps count for more: the decay is min(decay, (1 + steps) / (10 + steps)), so that the random start is
    forgotten at once (as in TensorFlow's ExponentialMovingAverage).

    Args:
        network: what is averaged; copied.
        decay: in (0, 1), a step.

    Attributes:
        network: the average, in evaluation mode.
        steps: how many have gone into it.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the weights after a step; integers (counters) are copied."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        mine, theirs = self.network.state_dict(), network.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[name] for name in floats], [theirs[name] for name in floats], 1 - decay)
        for name, value in mine.items():
            if not value.is_floating_point():
                value.copy_(theirs[name])
