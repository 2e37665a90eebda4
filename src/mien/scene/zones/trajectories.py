"""The way of each track through the picture, in few points and little memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.scene.zones.sighting import Sighting
from mien.scene.zones.track_table import TrackTable

Float64 = NDArray[np.float64]

_STEP_SECONDS = 0.2
_TOLERANCE = 0.005
"""Heights of the picture by which a simplified way may be wrong about where somebody was at a moment."""
_MOST_POINTS = 256
"""Kept of one track; a longer way becomes coarser."""


class Trajectories:
    """Follows the feet of the tracks of one stream, five times a second."""

    def __init__(self, table: TrackTable) -> None:
        self._due = table.column(-np.inf)
        self._paths: dict[int, list[tuple[float, float, float]]] = {}
        self._newest: dict[int, tuple[float, float, float]] = {}
        self._aspect = 1.0

    def update(self, sighting: Sighting) -> None:
        """Takes one frame."""
        self._aspect = sighting.aspect
        due = sighting.time >= self._due.values[sighting.rows]
        places = zip(sighting.ids.tolist(), (sighting.foot / [sighting.aspect, 1.0]).tolist(), strict=True)
        for (track_id, (x, y)), is_due in zip(places, due.tolist(), strict=True):
            self._newest[track_id] = (sighting.time, x, y)
            if is_due:
                path = self._paths.setdefault(track_id, [])
                path.append((sighting.time, x, y))
                if len(path) > 4 * _MOST_POINTS:
                    self._paths[track_id] = [(time, x, y) for time, x, y in self._simple(path)]
        self._due.values[sighting.rows[due]] = sighting.time + _STEP_SECONDS

    def path(self, track_id: int) -> list[list[float]]:
        """`[seconds, x, y]` of a track so far, x and y in fractions of the picture; at most 256 points."""
        path = self._paths[track_id]
        if self._newest[track_id] != path[-1]:
            path = [*path, self._newest[track_id]]
        return [[round(time, 2), round(x, 4), round(y, 4)] for time, x, y in self._simple(path)]

    def remove(self, track_id: int) -> None:
        """Forgets a track."""
        del self._paths[track_id], self._newest[track_id]

    def _simple(self, path: list[tuple[float, float, float]]) -> list[list[float]]:
        points, tolerance = np.array(path), _TOLERANCE
        kept = simplify(points * [1, self._aspect, 1], tolerance)
        while len(kept) > _MOST_POINTS:
            tolerance *= 2
            kept = simplify(points * [1, self._aspect, 1], tolerance)
        return points[kept].tolist()


def simplify(points: Float64, tolerance: float) -> NDArray[np.intp]:
    """The points of a way that are enough to tell where it was at every moment.

    Top-down time-ratio (Meratnia and de By, "Spatiotemporal Compression Techniques for Moving Point Objects", EDBT
    2004): as Douglas and Peucker, but a point is compared with where the straight way would be at its time.

    Args:
        points: `(N, 3)`, time ascending, x, y; N >= 1.
        tolerance: largest distance > 0 that is allowed, in the unit of x and y.

    Returns:
        Ascending indices, intp `(K,)`; the first and the last one among them.

    Example:
        >>> simplify(np.array([[0.0, 0, 0], [1, 1, 0], [2, 2, 0], [4, 2, 0]]), 0.1).tolist()
        [0, 2, 3]
    """
    kept, waiting = {0, len(points) - 1}, [(0, len(points) - 1)]
    while waiting:
        first, last = waiting.pop()
        if last - first < 2:
            continue
        inner = points[first + 1 : last]
        span = points[last, 0] - points[first, 0]
        share = (inner[:, :1] - points[first, 0]) / span if span > 0 else np.zeros((len(inner), 1))
        wrong = np.linalg.norm(
            inner[:, 1:] - points[first, 1:] - share * (points[last, 1:] - points[first, 1:]), axis=1
        )
        worst = int(wrong.argmax())
        if wrong[worst] > tolerance:
            middle = first + 1 + worst
            kept.add(middle)
            waiting += [(first, middle), (middle, last)]
    return np.array(sorted(kept), np.intp)
