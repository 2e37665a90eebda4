"""Values in groups, each group taken at once: arrays in, arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


def last_of_each(group: NDArray[np.intp], values: NDArray[Any]) -> NDArray[np.intp]:
    """The row with the largest of `values` `(N,)` in each group `(N,)`; the later row where two are equal."""
    order = np.lexsort((np.arange(len(values)), values, group))
    return order[np.flatnonzero(np.diff(group[order], append=-1))]


def mean_of_two(group: NDArray[np.intp], values: Float64) -> Float64:
    """Mean of the two largest values of each group, or the only one.

    Example:
        >>> mean_of_two(np.array([0, 1, 0, 0]), np.array([0.2, 0.9, 0.6, 0.4])).tolist()
        [0.5, 0.9]
    """
    order = np.lexsort((-values, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.minimum(np.diff(starts, append=len(order)), 2)
    ranked = values[order]
    return np.where(sizes == 2, (ranked[starts] + ranked[starts + sizes - 1]) / 2, ranked[starts])
