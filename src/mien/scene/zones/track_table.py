"""Arrays with a row a track, so that a crowd costs as many array operations as one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Rows = NDArray[np.intp]


class Column:
    """One array of a `TrackTable`: `values` is `(capacity, *shape)`; a new track's row holds the fill."""

    def __init__(self, capacity: int, fill: Any, shape: tuple[int, ...], dtype: DTypeLike) -> None:
        self.fill = fill
        self.values: NDArray[Any] = np.full((capacity, *shape), fill, dtype)


class TrackTable:
    """Which row each track of a stream has; rows of ended tracks are used again.

    Example:
        >>> table = TrackTable()
        >>> seen = table.column(0.0)
        >>> rows = table.rows([7, 3])
        >>> seen.values[rows] = 1.5
        >>> table.remove(7)
        >>> seen.values[table.rows([3, 8])].tolist()
        [1.5, 0.0]
    """

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        self._free = list(range(15, -1, -1))
        self._capacity = 16
        self._columns: list[Column] = []

    def __contains__(self, track_id: int) -> bool:
        return track_id in self._rows

    def column(self, fill: Any, *shape: int, dtype: DTypeLike = np.float64) -> Column:
        """A new array whose rows have `shape`."""
        column = Column(self._capacity, fill, shape, dtype)
        self._columns.append(column)
        return column

    def row(self, track_id: int) -> int:
        """The row of a track that is here."""
        return self._rows[track_id]

    def rows(self, track_ids: Sequence[int]) -> Rows:
        """The rows of tracks `(T,)`; those that are new get one."""
        for track_id in track_ids:
            if track_id not in self._rows:
                self._add(track_id)
        return np.array([self._rows[track_id] for track_id in track_ids], np.intp)

    def remove(self, track_id: int) -> None:
        """Forgets a track; its row is empty until another one has it."""
        row = self._rows.pop(track_id)
        for column in self._columns:
            column.values[row] = column.fill
        self._free.append(row)

    def _add(self, track_id: int) -> None:
        if not self._free:
            self._free = list(range(2 * self._capacity - 1, self._capacity - 1, -1))
            for column in self._columns:
                more = np.full_like(column.values, column.fill)
                column.values = np.concatenate([column.values, more])
            self._capacity *= 2
        self._rows[track_id] = self._free.pop()
