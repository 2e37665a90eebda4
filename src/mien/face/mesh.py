"""468 three-dimensional points of a face, by MediaPipe's face_landmark.

Kartynnik and others: "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019: the region is the
face turned upright by its eyes, a square of 1.5 times its size.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.face.align import warp
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.records import Face, Float32, Image

_SIZE = 192
_CONTEXT = 1.5


class MeshEstimator:
    """Face meshes in the pixels of the picture."""

    def __init__(self) -> None:
        self._session = Session(default("face-mesh"))

    def __call__(self, image: Image, faces: Sequence[Face]) -> list[Float32]:
        """Meshes of the faces of one RGB uint8 picture: float32 `(468, 3)` each, z growing away from the camera."""
        if not faces:
            return []
        matrices = [_upright(face) for face in faces]
        outputs = self._session(np.stack([warp(image, matrix, _SIZE) for matrix in matrices]))
        points = next(value for value in outputs.values() if value.size == len(faces) * 468 * 3)
        return [_back(mesh, matrix) for mesh, matrix in zip(points.reshape(-1, 468, 3), matrices, strict=True)]


def _upright(face: Face) -> Float32:
    """The similarity `(2, 3)` that brings the face upright into the network's square."""
    dx, dy = (face.landmarks[1] - face.landmarks[0]).tolist()
    length = max(float(np.hypot(dx, dy)), 1e-6)
    cos, sin = dx / length, dy / length
    side = float(max(face.box[2] - face.box[0], face.box[3] - face.box[1])) * _CONTEXT
    linear = np.array([[cos, sin], [-sin, cos]]) * (_SIZE / side)
    centre = (face.box[:2] + face.box[2:]) / 2
    return np.column_stack([linear, _SIZE / 2 - linear @ centre]).astype(np.float32)


def _back(mesh: Float32, matrix: Float32) -> Float32:
    inverse = cv2.invertAffineTransform(matrix)
    plane = mesh[:, :2] @ inverse[:, :2].T + inverse[:, 2]
    depth = mesh[:, 2:] * np.hypot(inverse[0, 0], inverse[1, 0])
    return np.hstack([plane, depth]).astype(np.float32)
