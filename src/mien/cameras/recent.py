"""The tracklets of the last minutes with their features: a bounded table that forgets by age and by number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.records import Float32


@dataclass(frozen=True, slots=True, eq=False)
class Tracklet:
    """Somebody's stay in one camera's view.

    Attributes:
        camera: its name.
        start, end: seconds on the cameras' common clock, `start <= end`.
        vector: float32 `(D,)`, L2-normalized feature of the body.
        key: whatever the caller knows it by, such as the camera's track number.
        subject: who it was recognized as by the face; None where nobody was.
    """

    camera: str
    start: float
    end: float
    vector: Float32
    key: str = ""
    subject: str | None = None


class Recent:
    """Tracklets by number, at most `capacity`; the oldest make room.

    Attributes:
        numbers: int64 `(N,)`, in the order in which they came.
        cameras: int64 `(N,)`, index of the camera.
        starts, ends: float64 `(N,)` seconds.
        vectors: float32 `(N, D)`.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._integers = np.empty((0, 2), np.int64)
        self._times = np.empty((0, 2))
        self._vectors = np.empty((0, 0), np.float32)

    def __len__(self) -> int:
        return self._size

    @property
    def dimension(self) -> int | None:
        """Length of a feature; None before the first."""
        return self._vectors.shape[1] or None

    @property
    def numbers(self) -> NDArray[np.int64]:
        return self._integers[: self._size, 0]

    @property
    def cameras(self) -> NDArray[np.int64]:
        return self._integers[: self._size, 1]

    @property
    def starts(self) -> NDArray[np.float64]:
        return self._times[: self._size, 0]

    @property
    def ends(self) -> NDArray[np.float64]:
        return self._times[: self._size, 1]

    @property
    def vectors(self) -> Float32:
        return self._vectors[: self._size]

    def add(self, number: int, camera: int, tracklet: Tracklet) -> None:
        """Appends one, in the place of the one that ended first where there is no more room."""
        if self._size == self._capacity:
            self._keep(np.arange(self._size) != self.ends.argmin())
        if self._size == len(self._integers):
            room = min(max(2 * self._size, 64), self._capacity)
            self._integers, self._times = _grown(self._integers, room, 2), _grown(self._times, room, 2)
            self._vectors = _grown(self._vectors, room, len(tracklet.vector))
        self._integers[self._size] = number, camera
        self._times[self._size] = tracklet.start, tracklet.end
        self._vectors[self._size] = tracklet.vector
        self._size += 1

    def forget(self, before: float) -> None:
        """Drops those that ended before a time."""
        kept = self.ends >= before
        if not kept.all():
            self._keep(kept)

    def _keep(self, kept: NDArray[np.bool_]) -> None:
        count = int(kept.sum())
        for array in (self._integers, self._times, self._vectors):
            array[:count] = array[: self._size][kept]
            array[count : self._size] = 0  # a forgotten feature is not to be found in memory
        self._size = count


def _grown(array: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    grown = np.zeros((rows, columns), array.dtype)
    grown[: len(array), : array.shape[1]] = array
    return grown
