"""One alarm an episode: what flickers is told once when it has lasted, and once when it is over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.scene.zones.track_table import Rows, TrackTable

QUIET_SECONDS = 1.0
"""How long it must not have been so before an episode is over."""


class Turn(NamedTuple):
    """An episode began or ended.

    Attributes:
        track: index of its row among those that were given.
        is_end: it is over.
        since: seconds at which it began.
        lasted: seconds until it was last so.
    """

    track: int
    is_end: bool
    since: float
    lasted: float


class Episodes:
    """Debounces a condition of the rows of a table.

    Args:
        table: of the stream's tracks, or of anything else that has episodes.
        seconds: how long >= 0 the condition must hold before an episode begins.
    """

    def __init__(self, table: TrackTable, seconds: float) -> None:
        self._seconds = seconds
        self._active, self._held = table.column(False, dtype=np.bool_), table.column(False, dtype=np.bool_)
        self._since, self._until = table.column(np.nan), table.column(np.nan)
        self._is_idle = True

    def update(self, rows: Rows, holds: NDArray[np.bool_], time: float) -> list[Turn]:
        """Takes the condition `(T,)` of rows `(T,)` at a time in seconds; what began or ended with it."""
        if self._is_idle and not holds.any():
            return []
        active = self._active.values[rows]
        is_new = ~active & holds & ~self._held.values[rows]
        since = np.where(is_new, time, self._since.values[rows])
        until = np.where(holds, time, self._until.values[rows])
        begins = ~active & holds & (time - since >= self._seconds)
        ends = active & ~holds & (time - until >= QUIET_SECONDS)
        self._active.values[rows] = (active | begins) & ~ends
        self._held.values[rows], self._since.values[rows], self._until.values[rows] = holds, since, until
        self._is_idle = not (self._active.values.any() or self._held.values.any())
        return [
            Turn(int(index), bool(ends[index]), float(since[index]), float(until[index] - since[index]))
            for index in np.flatnonzero(begins | ends)
        ]

    def end(self, row: int) -> list[Turn]:
        """What ends because the row's track does."""
        if not self._active.values[row]:
            return []
        self._active.values[row] = False
        since = float(self._since.values[row])
        return [Turn(0, True, since, float(self._until.values[row]) - since)]
