"""How many people are in each zone: now, on average, at most, and how many of them wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.scene.zones.sighting import Float64, Sighting
from mien.scene.zones.track_table import Column, TrackTable

_PRESENT_SECONDS = 0.5
"""How long somebody who is not seen is counted all the same: detectors miss a frame now and then."""
_WAITING_SPEED = 0.25
"""Body heights a second below which somebody stands; a walk is three times that."""
_LONGEST_STEP = 1.0
"""Seconds between two frames above which the stream was away, and nobody knows who was there."""


@dataclass(slots=True)
class Occupancy:
    """One zone's numbers.

    Attributes:
        people: how many are in it.
        waiting: how many of them stand: the length of a queue.
        peak, longest_queue: the most so far.
        person_seconds, waiting_seconds: their integrals over `seconds`.
    """

    people: int = 0
    waiting: int = 0
    peak: int = 0
    longest_queue: int = 0
    person_seconds: float = 0.0
    waiting_seconds: float = 0.0
    seconds: float = 0.0

    def step(self, elapsed: float, people: int, waiting: int) -> None:
        """Goes on by `elapsed` seconds, in which it was as before."""
        if elapsed <= _LONGEST_STEP:
            self.person_seconds += elapsed * self.people
            self.waiting_seconds += elapsed * self.waiting
            self.seconds += elapsed
        self.people, self.waiting = people, waiting
        self.peak, self.longest_queue = max(self.peak, people), max(self.longest_queue, waiting)


class OccupancyCounter:
    """Counts the people in the zones of one stream.

    Args:
        table: of the stream's tracks.
        inside: bool column `(Z,)`: who is in which zone.

    Attributes:
        zones: one `Occupancy` a zone; `everywhere`: that of the whole picture.
    """

    def __init__(self, table: TrackTable, inside: Column) -> None:
        self._inside = inside
        self._seen, self._waits = table.column(-np.inf), table.column(False, dtype=np.bool_)
        self.zones = [Occupancy() for _ in range(inside.values.shape[1])]
        self.everywhere = Occupancy()

    def update(self, sighting: Sighting, velocity: Float64) -> None:
        """Takes one frame and the velocities `(T, 2)` in it."""
        rows = sighting.rows
        self._seen.values[rows] = sighting.time
        self._waits.values[rows] = np.hypot(velocity[:, 0], velocity[:, 1]) < _WAITING_SPEED  # unknown is no
        present = sighting.time - self._seen.values <= _PRESENT_SECONDS
        here: NDArray[np.int64] = self._inside.values[present].sum(axis=0)
        waiting: NDArray[np.int64] = (self._inside.values & (present & self._waits.values)[:, None]).sum(axis=0)
        for zone, people, standing in zip(self.zones, here.tolist(), waiting.tolist(), strict=True):
            zone.step(sighting.elapsed, people, standing)
        self.everywhere.step(sighting.elapsed, int(present.sum()), int((present & self._waits.values).sum()))
