"""How long people take from one camera to another: three quantiles and the density that goes through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

SHORTEST, TYPICAL, LONGEST = 0.05, 0.5, 0.95
"""The quantiles that a travel time is given by."""

_NARROWEST = 0.2
"""Seconds; times are not known better than a few frames."""


@dataclass(frozen=True, slots=True)
class Travel:
    """Seconds between the last moment in one camera and the first in another.

    Attributes:
        shortest, typical, longest: 5%, 50% and 95% of people take at most so long.
    """

    shortest: float
    typical: float
    longest: float

    def density(self, seconds: Float64) -> Float64:
        """Probability density in 1/s at some seconds `(N,)`.

        Exponential on either side of the typical time, so that the three quantiles hold: travel times have a steep
        front and a long tail, and an exponential never says that somebody cannot have stopped on the way.

        Example:
            >>> Travel(10, 20, 60).density(np.array([20.0, 60.0, 0.0])).round(4).tolist()
            [0.0288, 0.0029, 0.0012]
        """
        sides = np.where(seconds < self.typical, self.typical - self.shortest, self.longest - self.typical)
        scale = np.maximum(sides / np.log(TYPICAL / SHORTEST), _NARROWEST)
        return 0.5 / scale * np.exp(-np.abs(seconds - self.typical) / scale)


def fitted(seconds: Float64, weights: Float64) -> Travel:
    """The travel time with the weighted quantiles of measured seconds.

    Args:
        seconds: `(N,)`, N >= 1.
        weights: `(N,)`, >= 0, not all 0.

    Example:
        >>> fitted(np.arange(101.0), np.ones(101))
        Travel(shortest=4.55, typical=50.0, longest=95.45)
    """
    order = np.argsort(seconds, kind="stable")
    weights = weights[order]
    middles = (weights.cumsum() - weights / 2) / weights.sum()
    return Travel(*np.interp([SHORTEST, TYPICAL, LONGEST], middles, seconds[order]).round(9).tolist())
