"""What a picture's name says in Market-1501: who, in which camera, when."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError

JUNK = -1
"""The identity of a box that shows nobody well enough: never a match and never a mistake."""

_NAME = re.compile(r"(-?\d+)_c(\d+)s(\d+)_(\d+)(?:_|$)")


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Who was seen where and when, `N` pictures in the order of their files.

    Attributes:
        people: int64 `(N,)`; 0 for a distractor, `JUNK` for a box that does not count.
        cameras: int64 `(N,)`.
        sequences: int64 `(N,)`: which of the camera's recordings.
        frames: int64 `(N,)`: frame in that recording.
    """

    people: NDArray[np.int64]
    cameras: NDArray[np.int64]
    sequences: NDArray[np.int64]
    frames: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.people)

    def pick(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Sightings:
        """Those of the given rows, indices or bool `(N,)`."""
        return Sightings(self.people[rows], self.cameras[rows], self.sequences[rows], self.frames[rows])


def sightings_of(pictures: Sequence[Path]) -> Sightings:
    """Reads `ID_cCAMERAsSEQUENCE_FRAME_BOX.jpg`, the form of Zheng et al., "Scalable Person Re-identification:
    A Benchmark", ICCV 2015.

    Raises:
        BadInputError: `picture_name_unknown`, a name has another form.

    Example:
        >>> seen = sightings_of([Path("0011_c3s1_075919_03.jpg"), Path("-1_c1s1_000401_03.jpg")])
        >>> seen.people.tolist(), seen.cameras.tolist(), seen.frames.tolist()
        ([11, -1], [3, 1], [75919, 401])
    """
    rows = []
    for picture in pictures:
        parts = _NAME.match(picture.name)
        if parts is None:
            raise BadInputError(
                f"{picture}: the name does not say who was seen where; expected ID_cCAMERAsSEQUENCE_FRAME_BOX.jpg as "
                "in Market-1501, e.g. 0011_c3s1_075919_03.jpg",
                code="picture_name_unknown",
            )
        rows.append([int(part) for part in parts.groups()])
    people, cameras, sequences, frames = np.array(rows, np.int64).reshape(-1, 4).T
    return Sightings(people, cameras, sequences, frames)
