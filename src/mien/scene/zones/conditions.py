"""When a rule of the zone file holds for a track: one function or class a kind.

Each takes the `View` of a frame and answers for all its tracks at once; those that need the past keep it in the table
of tracks. Whether an answer becomes an event is decided in `mien.scene.zones.rules`. An action that a network
recognizes would be one more condition here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.scene.zones.sighting import Float64, Sighting
from mien.scene.zones.track_table import TrackTable

Bools = NDArray[np.bool_]

_UPRIGHT, _LYING = 1.4, 0.8
"""Height over width of a box: above the first somebody stands, below the second they may lie."""
_LOWER = 0.65
"""Share of the standing height below which a box may be of somebody who lies."""
_SUNK = 0.25
"""Share of the standing height by which the head must have come down: a body that is half hidden keeps its head up."""
_FALL_SECONDS = 1.5
"""Longest time from standing to lying; who lies down on purpose takes longer."""
_PAUSE_SECONDS = 2.0
"""Who has not gone on against the way for so long has stopped doing so."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What conditions may ask about the tracks of one frame.

    Attributes:
        sighting: where they are; T tracks.
        velocity: float64 `(T, 2)` in body heights a second, NaN where it is not known.
        inside: bool `(T,)`: in the rule's zone, all True where it has none.
        since: float64 `(T,)`: seconds at which the stay there began.
    """

    sighting: Sighting
    velocity: Float64
    inside: Bools
    since: Float64


def stays(view: View, seconds: float) -> Bools:
    """Has been in the zone for `seconds` at least: intrusion and loitering."""
    return view.inside & (view.sighting.time - view.since >= seconds)


def runs(view: View, speed: float) -> Bools:
    """Is faster than `speed` body heights a second."""
    return view.inside & (np.hypot(view.velocity[:, 0], view.velocity[:, 1]) > speed)


class AgainstTheWay:
    """Has gone `distance` body heights against the allowed way, counted from the farthest point along it.

    It is over when the person turns round for half that distance, stands for two seconds or leaves the zone.
    """

    def __init__(self, table: TrackTable, allowed: tuple[float, float], distance: float) -> None:
        self._way = np.array(allowed) / np.hypot(*allowed)
        self._distance = distance
        self._last = table.column(np.nan, 2)
        self._progress, self._farthest, self._back = table.column(0.0), table.column(0.0), table.column(0.0)
        self._since, self._active = table.column(-np.inf), table.column(False, dtype=np.bool_)

    def __call__(self, view: View) -> Bools:
        sighting, rows = view.sighting, view.sighting.rows
        step = np.nan_to_num(sighting.foot - self._last.values[rows]) @ self._way / sighting.body
        self._last.values[rows] = sighting.foot
        progress = self._progress.values[rows] + step
        active, back = self._active.values[rows], self._back.values[rows]
        went_on = progress < back
        since = np.where(went_on | ~active, sighting.time, self._since.values[rows])
        back = np.where(went_on | ~active, progress, back)
        over = ~view.inside | (
            active & ((progress - back >= self._distance / 2) | (sighting.time - since >= _PAUSE_SECONDS))
        )
        farthest = np.where(over, progress, np.maximum(self._farthest.values[rows], progress))
        farthest = np.where(active & ~over, self._farthest.values[rows], farthest)
        active = ~over & (active | (farthest - progress >= self._distance))
        self._progress.values[rows], self._farthest.values[rows] = progress, farthest
        self._back.values[rows], self._since.values[rows], self._active.values[rows] = back, since, active
        return active


class Fallen:
    """Stood, and lies a moment later: the box became wide and low, and its top came down.

    Who falls towards the camera or away from it stays higher than wide in the picture and is not noticed.
    """

    def __init__(self, table: TrackTable) -> None:
        self._stood, self._height, self._top = table.column(-np.inf), table.column(0.0), table.column(0.0)
        self._lies = table.column(False, dtype=np.bool_)

    def __call__(self, view: View) -> Bools:
        sighting, rows = view.sighting, view.sighting.rows
        shape = sighting.height / np.maximum(sighting.width, 1e-9)
        # The averaged height, but from before it began to shrink.
        height, top = self._height.values[rows], self._top.values[rows]
        upright = (shape > _UPRIGHT) & (sighting.height > 0.9 * height)
        height, top = np.where(upright, sighting.body, height), np.where(upright, sighting.top, top)
        stood = np.where(upright, sighting.time, self._stood.values[rows])
        low = (shape < _LYING) & (sighting.height < _LOWER * height) & (sighting.top - top > _SUNK * height)
        lies = low & (self._lies.values[rows] | (sighting.time - stood <= _FALL_SECONDS))
        self._height.values[rows], self._top.values[rows], self._stood.values[rows] = height, top, stood
        self._lies.values[rows] = lies
        return lies & view.inside
