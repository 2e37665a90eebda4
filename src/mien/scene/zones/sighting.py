"""Where the tracks of one frame are, in units that do not depend on the picture's size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.scene.zones.track_table import Rows, TrackTable

Float64 = NDArray[np.float64]

_HEIGHT_SECONDS = 1.0
"""Over which a body's height is averaged: a box that is cut off for a moment changes it little."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """The tracks that were seen in one frame.

    Lengths are in heights of the picture: x runs from 0 to `aspect`, y from 0 to 1.

    Attributes:
        time: seconds from the stream's start.
        elapsed: seconds since the frame before; 0 at the first.
        aspect: the picture's width over its height.
        ids: int64 `(T,)`, and `rows` intp `(T,)` of the tracks in their table.
        fresh: bool `(T,)`: not seen in the frame before, for the first time or again.
        gone: intp `(G,)`: rows of the tracks that were seen in the frame before, and are not in this one.
        foot, centre: float64 `(T, 2)`, of the box; on the picture's edge where they lie outside.
        top, width, height: float64 `(T,)`, of the box.
        body: float64 `(T,)`, the box's height averaged over about a second, > 0.
    """

    time: float
    elapsed: float
    aspect: float
    ids: NDArray[np.int64]
    rows: Rows
    fresh: NDArray[np.bool_]
    gone: Rows
    foot: Float64
    centre: Float64
    top: Float64
    width: Float64
    height: Float64
    body: Float64


class Sightings:
    """Makes the sightings of one stream."""

    def __init__(self, table: TrackTable) -> None:
        self._table = table
        self._body, self._seen = table.column(0.0), table.column(-np.inf)
        self._last: float | None = None
        self._before: Rows = np.empty(0, np.intp)

    def next(
        self, track_ids: NDArray[np.int64], boxes: NDArray[np.float32], time: float, width: int, height: int
    ) -> Sighting:
        """The sighting of the next frame: `track_ids` `(T,)`, boxes `xyxy` `(T, 4)` in its pixels."""
        aspect = width / height
        scaled = np.asarray(boxes, np.float64) / height
        left, top, right, bottom = scaled.T
        # A box may reach outside of the picture; lines and zones end at its edges.
        middle, ground = np.clip((left + right) / 2, 0, aspect), np.clip(bottom, 0, 1)
        tall = np.maximum(bottom - top, 1 / height)
        rows = self._table.rows(track_ids.tolist())
        before, since = self._body.values[rows], time - self._seen.values[rows]
        share = 1 - np.exp(-np.maximum(since, 0) / _HEIGHT_SECONDS)  # all of it where the track is new
        body = before + share * (tall - before)
        self._body.values[rows], self._seen.values[rows] = body, time
        elapsed = 0.0 if self._last is None else max(0.0, time - self._last)
        fresh, gone = ~np.isin(rows, self._before), np.setdiff1d(self._before, rows)
        self._last, self._before = time, rows
        return Sighting(
            time=time,
            elapsed=elapsed,
            aspect=aspect,
            ids=track_ids,
            rows=rows,
            fresh=fresh,
            gone=gone,
            foot=np.stack([middle, ground], axis=1),
            centre=np.stack([middle, np.clip((top + bottom) / 2, 0, 1)], axis=1),
            top=top,
            width=right - left,
            height=tall,
            body=body,
        )
