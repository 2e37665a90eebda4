"""Which face belongs to which body: geometry in each frame, consistency over time.

A face lies near the top of its body and in the middle of it. How well a pair fits is a log-likelihood ratio, in face
sizes where it can be, so that it holds for a body that the picture or a table cuts off as well as for a whole one; it
is added up over the frames in which both are seen. Faces and bodies are then assigned to each other one to one, so
that the sum over all pairs is the highest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.records import Float32
from mien.tracking.assignment import match

Float64 = NDArray[np.float64]

_TOP, _TOP_SPREAD = 0.25, 0.35
"""How far below the body's top a face's top lies, in heights of the face: hair and forehead."""
_SIDE_SPREAD = 0.5
"""How far to the side of the body's middle a face is, in widths of the face ..."""
_BODY_SPREAD = 0.15
"""... plus this share of the body's width: arms and bags move a box's middle."""
_WIDEST, _NARROWEST = 1.0, 0.12
"""Width of a face, as a share of its body's."""
_PRIOR = 3.0
"""Log-likelihood of a pair that fits perfectly; one that is 2.4 spreads off has none."""
_LEAST, _MOST = -6.0, 12.0
"""A frame counts no less than the first and the sum goes no higher than the second: old certainty can be overcome."""
_SURE = 4.0
"""From this sum on two tracks are joined: two frames that fit well, or more that fit less."""


def fit(faces: Float32, bodies: Float32) -> Float64:
    """How well faces fit to bodies: log-likelihood ratios, float64 `(F, B)`, above 0 where they rather belong together.

    Args:
        faces, bodies: boxes `xyxy` `(F, 4)` and `(B, 4)` in pixels.

    Example:
        >>> face, bodies = np.float32([[45, 14, 55, 27]]), np.float32([[30, 10, 70, 110], [60, 10, 100, 110]])
        >>> (fit(face, bodies) > 0).tolist()
        [[True, False]]
    """
    face, body = faces[:, None].astype(np.float64), bodies[None].astype(np.float64)
    width, height = face[..., 2] - face[..., 0], face[..., 3] - face[..., 1]
    body_width = np.maximum(body[..., 2] - body[..., 0], 1e-6)
    down = (face[..., 1] - body[..., 1]) / np.maximum(height, 1e-6) - _TOP
    side = (face[..., 0] + face[..., 2] - body[..., 0] - body[..., 2]) / 2
    side = side / (_SIDE_SPREAD * width + _BODY_SPREAD * body_width)
    value = _PRIOR - ((down / _TOP_SPREAD) ** 2 + side**2) / 2
    share = width / body_width
    return np.where((share <= _WIDEST) & (share >= _NARROWEST), np.maximum(value, _LEAST), _LEAST)


class Joiner:
    """Joins face tracks and body tracks of one stream.

    Example:
        >>> joiner = Joiner()
        >>> face, body = np.float32([[45, 14, 55, 27]]), np.float32([[30, 10, 70, 110]])
        >>> [joiner.update([1], face, [2], body) for _ in range(2)]
        [{}, {1: 2}]
        >>> joiner.body_of(1)
        2
    """

    def __init__(self) -> None:
        self._evidence: dict[int, dict[int, float]] = {}
        self._joined: dict[int, int] = {}

    def update(
        self, face_ids: Sequence[int], faces: Float32, body_ids: Sequence[int], bodies: Float32
    ) -> dict[int, int]:
        """Takes the tracked faces `(F, 4)` and bodies `(B, 4)` of one frame.

        Returns:
            All pairs, face to body, of the tracks that have not ended; a pair stays while either is not seen.
        """
        if len(face_ids) and len(body_ids):
            self._add(face_ids, body_ids, fit(faces, bodies))
        self._assign(face_ids)
        return dict(self._joined)

    def body_of(self, face: int) -> int | None:
        """The body track that a face track belongs to; None where that is not known."""
        return self._joined.get(face)

    def end(self, tracks: Sequence[int]) -> None:
        """Forgets tracks of either kind that have ended."""
        gone = set(tracks)
        self._evidence = {
            face: {body: value for body, value in sums.items() if body not in gone}
            for face, sums in self._evidence.items()
            if face not in gone
        }
        self._joined = {face: body for face, body in self._joined.items() if face not in gone and body not in gone}

    def _add(self, face_ids: Sequence[int], body_ids: Sequence[int], values: Float64) -> None:
        """Adds up what a frame says; pairs that were never near each other are not kept."""
        for row, face in enumerate(face_ids):
            sums = self._evidence.setdefault(face, {})
            for column, body in enumerate(body_ids):
                value = float(values[row, column])
                if value > _LEAST or body in sums:
                    sums[body] = min(max(sums.get(body, 0.0) + value, _LEAST), _MOST)

    def _assign(self, face_ids: Sequence[int]) -> None:
        """Gives the faces that are seen the bodies with the highest evidence in all, each body to one of them."""
        known = [self._evidence.get(face, {}) for face in face_ids]
        body_ids = sorted(set().union(*known))
        if not body_ids:
            return
        sums = np.array([[evidence.get(body, _LEAST) for body in body_ids] for evidence in known])
        chosen = dict(zip(*(side.tolist() for side in match(sums, 0.0)), strict=True))
        for row, face in enumerate(face_ids):
            column = chosen.get(row)
            if column is not None and sums[row, column] >= _SURE:
                self._joined[face] = body_ids[column]
            else:
                self._joined.pop(face, None)
