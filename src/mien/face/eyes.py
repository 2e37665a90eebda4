"""Whether the eyes of a face are open, by open-closed-eye-0001."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.face.align import warp
from mien.geometry import similarity_transform
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.records import Eyes, Face, Image

_SIZE = 32
_SPREAD = 1.3
"""Distance between the eyes in sides of an eye's crop."""
_OPEN = 1
"""Position of P(open) in the output."""


class EyeStateEstimator:
    """Probability that each eye is open."""

    def __init__(self) -> None:
        self._session = Session(default("eye-state"))

    def __call__(self, image: Image, faces: Sequence[Face]) -> list[Eyes]:
        """Eye states of the faces of one RGB uint8 picture, in their order."""
        if not faces:
            return []
        crops = [self._crop(image, face, side) for face in faces for side in (0, 1)]
        (output,) = self._session(np.stack(crops)).values()
        open_eyes = output.reshape(len(faces), 2, 2)[:, :, _OPEN]
        return [Eyes(left_open=float(left), right_open=float(right)) for left, right in open_eyes]

    def _crop(self, image: Image, face: Face, side: int) -> Image:
        """The eye upright in the middle of a crop."""
        eyes = face.landmarks[:2]
        middle = _SIZE / 2
        step = _SIZE * _SPREAD
        start = middle - side * step
        target = np.array([[start, middle], [start + step, middle]], np.float32)
        return warp(image, similarity_transform(eyes, target), _SIZE)
