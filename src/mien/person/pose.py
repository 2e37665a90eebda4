"""33 three-dimensional points of a body, by MediaPipe's pose landmark network (its lite form).

Bazarevsky and others: "BlazePose: On-device Real-time Body Pose Tracking", 2020. The network takes a square around one
body that stands upright in it: see `mien.person.body_region`.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.media.warping import warp
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.person.body_region import BodyRegions, box_square
from mien.records import Float32, Image, Person

_PAIRS = "shoulder elbow wrist pinky index thumb hip knee ankle heel foot_index"
POINTS = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *(f"{side}_{name}" for name in _PAIRS.split() for side in ("left", "right")),
)
"""Names of the points in their order; left and right are the person's own."""

BONES = (
    *((11, 12), (11, 23), (12, 24), (23, 24)),
    *((11, 13), (13, 15), (12, 14), (14, 16)),
    *((23, 25), (25, 27), (24, 26), (26, 28)),
    *((27, 29), (29, 31), (27, 31), (28, 30), (30, 32), (28, 32)),
    *((7, 2), (2, 0), (0, 5), (5, 8)),
)
"""Pairs of points that a drawing joins."""

_SIZE = 256
_LEAST_PRESENCE = 0.5


class PoseEstimator:
    """Skeletons in the pixels of the picture; safe to call from several threads."""

    def __init__(self) -> None:
        self._regions = BodyRegions()
        self._session = Session(default("body-pose"))

    def __call__(self, image: Image, people: Sequence[Person]) -> list[Float32 | None]:
        """Skeletons of the people of one RGB uint8 picture, in their order.

        Returns:
            For each person float32 `(33, 4)`, points in the order of `POINTS`: x and y in the picture's pixels, depth
            in its pixels relative to the hips and growing away from the camera, and visibility in [0, 1]; or None
            where the network sees no body.

        Example:
            >>> from mien.media.image import read
            >>> from mien.person.detector import PersonDetector
            >>> image = read("street.jpg")  # doctest: +SKIP
            >>> PoseEstimator()(image, PersonDetector()(image))[0][POINTS.index("nose"), :2]  # doctest: +SKIP
            array([231.4, 80.2], dtype=float32)
        """
        if not people:
            return []
        bodies = self._look(image, self._regions(image, people, _SIZE))
        missed = [number for number, (_, presence) in enumerate(bodies) if presence < _LEAST_PRESENCE]
        if missed:
            again = self._look(image, [box_square(people[number].box, _SIZE) for number in missed])
            for number, body in zip(missed, again, strict=True):
                bodies[number] = body
        return [points if presence >= _LEAST_PRESENCE else None for points, presence in bodies]

    def _look(self, image: Image, squares: list[Float32]) -> list[tuple[Float32, float]]:
        """The skeleton in each square, and how sure the network is that there is a body."""
        outputs = self._session(np.stack([warp(image, square, _SIZE) for square in squares]))
        # The network gives six points more, which help to follow a body from frame to frame.
        points = outputs["Identity"].reshape(len(squares), -1, 5)[:, : len(POINTS), :4]
        presences = outputs["Identity_1"].ravel().tolist()
        return [
            (_back(body, square), presence) for body, square, presence in zip(points, squares, presences, strict=True)
        ]


def _back(points: Float32, matrix: Float32) -> Float32:
    """Points `(33, 4)` of a square in the picture's pixels, depth in proportion; visibility as a probability."""
    inverse = cv2.invertAffineTransform(matrix)
    plane = points[:, :2] @ inverse[:, :2].T + inverse[:, 2]
    depth = points[:, 2:3] * np.hypot(inverse[0, 0], inverse[1, 0])
    visibility = 1 / (1 + np.exp(-np.clip(points[:, 3:], -30, 30)))
    return np.hstack([plane, depth, visibility]).astype(np.float32)
