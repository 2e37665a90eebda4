"""How the learning rate changes: factors on it, as functions of the epochs that are done."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from mien.errors import BadInputError

Schedule = Callable[[float, float], float]
"""(epochs done, epochs in all) -> factor on the learning rate; both may be fractions."""


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 down to `last` (Loshchilov & Hutter, SGDR, 2017), after a linear warm-up.

    Attributes:
        warm_up: epochs.
        last: factor at the end, in [0, 1].

    Example:
        >>> [round(Cosine(warm_up=2)(epoch, 10), 2) for epoch in (0, 1, 2, 6, 10)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    warm_up: float = 0.0
    last: float = 0.0

    def __call__(self, epoch: float, epochs: float) -> float:
        if epoch < self.warm_up:
            return epoch / self.warm_up
        done = (epoch - self.warm_up) / max(epochs - self.warm_up, 1e-9)
        return self.last + (1 - self.last) * (1 + math.cos(math.pi * min(done, 1.0))) / 2


@dataclass(frozen=True)
class Steps:
    """Multiplied by `factor` at each of some epochs, after a linear warm-up.

    Attributes:
        at: epochs, rising.
        factor: in (0, 1).
        warm_up: epochs.

    Raises:
        BadInputError: `schedule_steps`: the epochs do not rise.

    Example:
        >>> [round(Steps(at=[4, 8])(epoch, 10), 3) for epoch in (0, 4, 8)]
        [1.0, 0.1, 0.01]
    """

    at: list[float]
    factor: float = 0.1
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        if sorted(self.at) != list(self.at):
            raise BadInputError(f"schedule.at = {self.at} must rise", code="schedule_steps")

    def __call__(self, epoch: float, epochs: float) -> float:
        if epoch < self.warm_up:
            return epoch / self.warm_up
        return self.factor ** sum(epoch >= place for place in self.at)


def constant(epoch: float, epochs: float) -> float:
    """Always 1; a recipe without a schedule has this one."""
    return 1.0
