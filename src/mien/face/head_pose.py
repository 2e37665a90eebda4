"""Yaw, pitch and roll of a head, by head-pose-estimation-adas-0001."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mien.face.align import box_matrix, warp
from mien.geometry import square_box
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.records import Face, HeadPose, Image

_SIZE = 60


class HeadPoseEstimator:
    """Head poses of faces, in degrees; signs as in `HeadPose`."""

    def __init__(self) -> None:
        self._session = Session(default("head-pose"))

    def __call__(self, image: Image, faces: Sequence[Face]) -> list[HeadPose]:
        """Poses of the faces of one RGB uint8 picture, in their order."""
        if not faces:
            return []
        crops = np.stack([warp(image, box_matrix(square_box(face.box), _SIZE), _SIZE) for face in faces])
        outputs = self._session(crops)
        # The network's pitch is positive downwards, as measured against the tilt of face meshes on LFW View 1.
        yaw, pitch, roll = (outputs[f"angle_{axis}_fc"].ravel() for axis in "ypr")
        return [HeadPose(float(y), -float(p), float(r)) for y, p, r in zip(yaw, pitch, roll, strict=True)]
