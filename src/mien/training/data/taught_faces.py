"""WIDER FACE's boxes with the landmarks that the mirrored YuNet sees in them."""

from __future__ import annotations

import logging

import numpy as np

from mien.errors import BadInputError
from mien.face.detector import FaceDetector
from mien.geometry import iou_matrix
from mien.records import Float32
from mien.training.data.boxed_pictures import Boxes, TaughtSource
from mien.training.data.pictures import PictureSource

log = logging.getLogger(__name__)

_LANDMARKS = 5
_SAME = 0.5
"""IoU from which a teacher's face is the labelled one."""
_SURE = 0.5
"""Score from which its landmarks are believed."""


def taught_faces(
    source: PictureSource, folder: str, teacher: str | None = None, smallest: float = 10.0
) -> TaughtSource:
    """Faces with boxes from the set and landmarks from a teacher, as `AnchorFreeDetector(landmarks=5)` learns them.

    Args:
        source: pictures with the label `boxes`, e.g. `mien.training.readers.wider_face.wider_face`.
        folder: where the landmarks are kept.
        teacher: a face detector of the catalogue; None is the pack's.
        smallest: faces lower than this many pixels are ignored, as WIDER's evaluation ignores them.

    Raises:
        BadInputError: `data_unlabelled`: the source has no boxes.
    """
    if "boxes" not in source.labels:
        raise BadInputError(
            "data.source: the pictures have no boxes; give the reader the set's truth file", code="data_unlabelled"
        )
    detectors: list[FaceDetector] = []

    def teach(index: int) -> Boxes:
        if not detectors:
            detectors.append(FaceDetector(teacher, score=_SURE))
        boxes: Float32 = source.labels["boxes"][index]
        landmarks = np.full((len(boxes), _LANDMARKS, 2), np.nan, np.float32)
        try:
            found = detectors[0](source.picture(index))
        except BadInputError as error:
            log.warning("%s: no landmarks: %s", source.name(index), error)
            found = []
        if found and len(boxes):
            overlap = iou_matrix(np.stack([face.box for face in found]), boxes)
            for number, face in enumerate(found):
                nearest = int(overlap[number].argmax())
                # Each is the other's nearest, so that of two faces one behind the other none gets the wrong points.
                if overlap[number, nearest] >= _SAME and overlap[:, nearest].argmax() == number:
                    landmarks[nearest] = face.landmarks
        return Boxes(boxes, boxes[:, 3] - boxes[:, 1] < smallest, landmarks)

    return TaughtSource(source, folder, [teacher, smallest, _SURE], teach)
