"""Who is in which zone, since when, and for how long they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.geometry import polygon_depth
from mien.scene.zones.sighting import Sighting
from mien.scene.zones.track_table import TrackTable
from mien.scene.zones.zone_file import Zone

MARGIN = 0.1
"""Body heights beyond a zone's border from which somebody is inside or outside of it at once."""
SETTLED_SECONDS = 0.5
"""How long somebody nearer to the border than that must be on one side of it."""


REACH, REACH_SPEED, LONGEST_REACH = 1.0, 1.0, 3.0
"""Body heights, growing by body heights a second up to a limit, within which a new track goes on where one was lost.
Who is hidden mostly stands; so it holds for as long as the tracker remembers the lost one."""
DEEP = 0.5
"""Body heights from a zone's border within which somebody may have come over it before being seen."""


class Change(NamedTuple):
    """Somebody came into a zone, or left it after `dwell` seconds: index in the sighting, number of the zone."""

    track: int
    zone: int
    dwell: float | None


class Stays:
    """Follows who is in the zones of one stream.

    A stay lasts from the moment between the last frame outside and the first one inside to the one between the last
    frame inside and the first one outside; it goes on while a track is lost. What only trembles over the border is
    no stay of its own. Where a track is seen, for the first time or again, deep inside a zone that it was not in, close
    to one that was lost there, nobody can have come in: it takes over the stay.

    Args:
        table: of the stream's tracks.
        zones: Z of them.

    Attributes:
        inside: column `(Z,)` bool; `since`: column `(Z,)`, seconds at which the stay began.
    """

    def __init__(self, table: TrackTable, zones: Sequence[Zone]) -> None:
        count = len(zones)
        self._corners = [np.array(zone.polygon, np.float64) for zone in zones]
        self._by_foot = [zone.point == "foot" for zone in zones]
        self.inside = table.column(False, count, dtype=np.bool_)
        self.since = table.column(np.nan, count)
        self._near = table.column(False, count, dtype=np.bool_)
        self._changed = table.column(np.nan, count)
        self._seen = table.column(np.nan)
        self._place = table.column(np.nan, 2)

    def update(self, sighting: Sighting) -> tuple[list[Change], list[Change]]:
        """Who entered and who exited at this frame, by track, then by zone."""
        rows, time = sighting.rows, sighting.time
        if not self._corners or not len(rows):
            return [], []
        depth = self._depth(sighting)
        is_near, last = depth > 0, self._seen.values[rows][:, None]
        is_new = np.isnan(last)
        switched = is_new | (is_near != self._near.values[rows])
        moment = np.broadcast_to(np.where(is_new, time, (last + time) / 2), switched.shape)
        changed = np.where(switched, moment, self._changed.values[rows])
        certain = (np.abs(depth) > MARGIN * sighting.body[:, None]) | (time - changed >= SETTLED_SECONDS)
        is_deep = depth > DEEP * sighting.body[:, None]
        come = is_deep & ~self.inside.values[rows]
        for track in np.flatnonzero(sighting.fresh & come.any(axis=1)):
            self._take_over(int(track), sighting, come[track])
        before = self.inside.values[rows]
        after = np.where(certain, is_near, before)
        since = np.where(after & ~before, changed, self.since.values[rows])
        self.inside.values[rows], self.since.values[rows] = after, since
        self._near.values[rows], self._changed.values[rows] = is_near, changed
        self._seen.values[rows], self._place.values[rows] = time, sighting.foot / [sighting.aspect, 1]
        entered = [Change(int(track), int(zone), None) for track, zone in np.argwhere(after & ~before)]
        exited = [
            Change(int(track), int(zone), float(changed[track, zone] - since[track, zone]))
            for track, zone in np.argwhere(before & ~after)
        ]
        return entered, exited

    def end(self, row: int) -> list[Change]:
        """The zones that a track was in when it was last seen: it leaves them with the track."""
        # What was outside at last, only not yet for sure, left at that moment.
        until = np.where(self._near.values[row], self._seen.values[row], self._changed.values[row])
        dwell = until - self.since.values[row]
        return [Change(0, int(zone), float(dwell[zone])) for zone in np.flatnonzero(self.inside.values[row])]

    def _take_over(self, track: int, sighting: Sighting, zones: NDArray[np.bool_]) -> None:
        """Gives a track, in each of the `zones` `(Z,)`, the stay of the nearest one that was lost there in reach."""
        gap = sighting.time - self._seen.values
        way = (self._place.values - sighting.foot[track] / [sighting.aspect, 1]) * [sighting.aspect, 1]
        distance = np.hypot(way[:, 0], way[:, 1]) / sighting.body[track]
        in_reach = distance <= np.minimum(REACH + REACH_SPEED * gap, LONGEST_REACH)
        in_reach[sighting.rows] = False
        row = sighting.rows[track]
        # Zone by zone: what is told of one does not depend on which others there are.
        for zone in np.flatnonzero(zones & self.inside.values[in_reach].any(axis=0)):
            other = int(np.where(in_reach & self.inside.values[:, zone], distance, np.inf).argmin())
            self.inside.values[row, zone], self.since.values[row, zone] = True, self.since.values[other, zone]
            self.inside.values[other, zone], self._near.values[other, zone] = False, False

    def _depth(self, sighting: Sighting) -> NDArray[np.float64]:
        """How far each person is inside each zone, float64 `(T, Z)`, in heights of the picture."""
        stretch = np.array([sighting.aspect, 1.0])
        return np.stack(
            [
                polygon_depth(sighting.foot if by_foot else sighting.centre, corners * stretch)
                for corners, by_foot in zip(self._corners, self._by_foot, strict=True)
            ],
            axis=1,
        )
