"""How fast and where to people move, in body heights a second."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.scene.zones.sighting import Sighting
from mien.scene.zones.track_table import TrackTable

WINDOW_SECONDS = 0.8
"""Of the past that a speed is taken from: about one stride of a walk."""
_SHORTEST = 0.4
"""Seconds that must be known of it."""
_SAMPLES = 10


class Motion:
    """Follows the speed of each track of one stream.

    The speed is the slope of the straight line that fits the positions of the last `WINDOW_SECONDS` best, so that
    trembling boxes are not taken for running.
    """

    def __init__(self, table: TrackTable) -> None:
        self._times = table.column(-np.inf, _SAMPLES)
        self._places = table.column(0.0, _SAMPLES, 2)

    def update(self, sighting: Sighting) -> NDArray[np.float64]:
        """Velocities float64 `(T, 2)`: x to the right, y down; NaN where a track is too new to tell."""
        rows, time = sighting.rows, sighting.time
        # The newest place is overwritten until it is old enough to be followed by another one.
        due = time - self._times.values[rows, 1] >= WINDOW_SECONDS / (_SAMPLES - 1)
        moved = rows[due]
        self._times.values[moved, 1:] = self._times.values[moved, :-1]
        self._places.values[moved, 1:] = self._places.values[moved, :-1]
        self._times.values[rows, 0] = time
        # Feet are hidden more often than heads, and a head's place trembles less.
        self._places.values[rows, 0] = np.stack([sighting.foot[:, 0], sighting.top], axis=1)

        times, places = self._times.values[rows] - time, self._places.values[rows]
        known = times >= -WINDOW_SECONDS - 1e-9
        times = np.where(known, times, 0.0)
        count = known.sum(axis=1, keepdims=True)
        spread = np.where(known, times - times.sum(axis=1, keepdims=True) / np.maximum(count, 1), 0.0)
        slope = np.einsum("tk,tki->ti", spread, places) / np.maximum((spread**2).sum(axis=1), 1e-12)[:, None]
        slope[-times.min(axis=1, initial=0) < _SHORTEST] = np.nan
        return slope / sighting.body[:, None]
