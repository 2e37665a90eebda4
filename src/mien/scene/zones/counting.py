"""Who crosses which line in which direction: each crossing counts once, however long somebody stands on the line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.scene.zones.sighting import Sighting
from mien.scene.zones.track_table import TrackTable
from mien.scene.zones.zone_file import Line

MARGIN = 0.1
"""Body heights that somebody must be away from the line to be on its other side: boxes tremble by less."""
RENUMBERED = 0.5
"""Body heights from where a track was in the frame before, and is not now: another track there is the same body under
another number, which a tracker gives when it learns better who somebody is."""


_ROUNDING = 1e-6
"""Who passes along the picture's edge passes the end of a line that is drawn to there."""


class Crossing(NamedTuple):
    """One crossing: index of the track in the sighting, number of the line, and its direction."""

    track: int
    line: int
    forward: bool


class LineCounter:
    """Counts crossings with hysteresis.

    A person is on a side of a line from being `MARGIN` away from it there until being `MARGIN` away on the other side.
    That change counts if the way between met the line between its ends; a body that gets another number goes on where
    it was, and not where that number was seen before. With d = to - from and v = p - from it is
    forward where it ends with dx * vy - dy * vx < 0.

    Args:
        table: of the stream's tracks.
        lines: L of them.

    Attributes:
        counts: int64 `(L, 2)`: crossings forward and backward.
    """

    def __init__(self, table: TrackTable, lines: Sequence[Line]) -> None:
        count = len(lines)
        self._start = np.array([line.start for line in lines], np.float64).reshape(-1, 2)
        self._end = np.array([line.end for line in lines], np.float64).reshape(-1, 2)
        self._by_foot = np.array([line.point == "foot" for line in lines], np.bool_)
        self._side = table.column(0, count, dtype=np.int8)
        self._near_side = table.column(0, count, dtype=np.int8)
        self._met = table.column(False, count, dtype=np.bool_)
        self._last = table.column(np.nan, count, 2)
        self.counts: NDArray[np.int64] = np.zeros((count, 2), np.int64)

    def update(self, sighting: Sighting) -> list[Crossing]:
        """The crossings that became certain at this frame, by track, then by line."""
        if not len(self._start) or not len(sighting.rows):
            return []
        rows, stretch = sighting.rows, np.array([sighting.aspect, 1.0])
        start, way = self._start * stretch, (self._end - self._start) * stretch
        length = np.hypot(way[:, 0], way[:, 1])
        point = np.where(self._by_foot[:, None], sighting.foot[:, None], sighting.centre[:, None])
        self._renumber(sighting, point / stretch)
        offset, before = point - start, self._last.values[rows] * stretch - start
        distance = (way[:, 0] * offset[..., 1] - way[:, 1] * offset[..., 0]) / length
        distance_before = (way[:, 0] * before[..., 1] - way[:, 1] * before[..., 0]) / length

        side = np.sign(distance).astype(np.int8)
        near_before = self._near_side.values[rows]
        near = np.where(side == 0, near_before, side)
        passed = near_before * near < 0
        if passed.any():
            # Where the straight way since the last frame met the line, from 0 to 1 between its ends.
            gone = np.abs(distance) + np.abs(distance_before)
            share = np.abs(distance_before) / np.where(gone > 0, gone, 1)
            met = before + share[..., None] * (offset - before)
            along = (met * way).sum(axis=-1) / length**2
            self._met.values[rows] = np.where(
                passed, (along >= -_ROUNDING) & (along <= 1 + _ROUNDING), self._met.values[rows]
            )
        self._near_side.values[rows] = near
        self._last.values[rows] = point / stretch

        before_side = self._side.values[rows]
        certain = np.abs(distance) > MARGIN * sighting.body[:, None]
        # Somebody who is first seen near a line is on the side where that is.
        now = np.where(certain | (before_side == 0), near, before_side)
        self._side.values[rows] = now
        crossed = (before_side * now < 0) & self._met.values[rows]
        crossings = [
            Crossing(int(track), int(line), bool(distance[track, line] < 0)) for track, line in np.argwhere(crossed)
        ]
        for crossing in crossings:
            self.counts[crossing.line, 0 if crossing.forward else 1] += 1
        return crossings

    def _renumber(self, sighting: Sighting, point: NDArray[np.float64]) -> None:
        """Gives tracks that came where others went what is known of these; `point` `(T, L, 2)`."""
        fresh, gone = np.flatnonzero(sighting.fresh), sighting.gone
        if not len(fresh) or not len(gone):
            return
        way = (point[fresh, None] - self._last.values[gone]) * [sighting.aspect, 1.0]
        distance = np.hypot(way[..., 0], way[..., 1]).max(axis=-1) / sighting.body[fresh, None]
        nearest = np.where(np.isnan(distance), np.inf, distance).argmin(axis=1)
        same = distance[np.arange(len(fresh)), nearest] <= RENUMBERED
        mine, its = sighting.rows[fresh[same]], gone[nearest[same]]
        for column in (self._side, self._near_side, self._met, self._last):
            column.values[mine] = column.values[its]
