"""People's boxes that several mirrored detectors agree on, for pictures that nobody labelled."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.geometry import iou_matrix
from mien.person.detector import PersonDetector
from mien.records import Float32
from mien.training.data.boxed_pictures import Boxes, TaughtSource
from mien.training.data.pictures import PictureSource

log = logging.getLogger(__name__)

Mask = NDArray[np.bool_]

_TEACHERS = ("yolox-nano", "person-detection-retail-0013", "nanodet-m")
_SAME = 0.5
"""IoU from which boxes of two teachers are one person."""
_WEAK, _AGREED, _ALONE = 0.2, 0.35, 0.7
"""Scores: of a box worth looking at; of the mean of two or more teachers; of one teacher that nobody seconds."""
_BODY = np.array([-1.5, -0.5, 1.5, 6.5], np.float32)
"""Where a body is around a face, from the middle of the face's top, in widths and heights of the face."""


def taught_people(source: PictureSource, folder: str, teachers: Sequence[str] = _TEACHERS) -> TaughtSource:
    """People as `AnchorFreeDetector(landmarks=0)` learns them.

    A box counts where two teachers agree or one is sure. What one teacher only suspects is ignored. Where the source
    has the label `boxes` with faces (WIDER FACE), the bodies below faces that no teacher gave a person are ignored
    too: somebody is there, though nobody knows how far he reaches.

    Args:
        source: the pictures.
        folder: where the boxes are kept.
        teachers: person detectors of the catalogue.
    """
    detectors: list[PersonDetector] = []

    def teach(index: int) -> Boxes:
        if not detectors:
            detectors.extend(PersonDetector(name, score=_WEAK) for name in teachers)
        try:
            image = source.picture(index)
        except BadInputError as error:
            log.warning("%s: no boxes: %s", source.name(index), error)
            return _boxes(np.empty((0, 4), np.float32), np.empty(0, bool))
        found = [
            np.array([[*person.box, person.score] for person in detector(image)], np.float32).reshape(-1, 5)
            for detector in detectors
        ]
        boxes, ignored = agreed(found)
        if "boxes" in source.labels:
            boxes, ignored = _with_unseen_bodies(boxes, ignored, source.labels["boxes"][index], image.shape)
        return _boxes(boxes, ignored)

    return TaughtSource(
        source, folder, [list(teachers), _SAME, _WEAK, _AGREED, _ALONE, "boxes" in source.labels], teach
    )


def agreed(found: Sequence[Float32]) -> tuple[Float32, Mask]:
    """What several detectors say of one picture, as one.

    Args:
        found: for each detector float32 `(n, 5)`: boxes xyxy and scores, each person once.

    Returns:
        Boxes float32 `(m, 4)`, means weighted by score; and bool `(m,)`: those that are only suspected.
    """
    teacher = np.repeat(np.arange(len(found)), [len(rows) for rows in found])
    rows = np.concatenate(found)
    order = np.argsort(-rows[:, 4], kind="stable")
    rows, teacher = rows[order], teacher[order]
    overlap = iou_matrix(rows[:, :4], rows[:, :4])
    free = np.ones(len(rows), bool)
    boxes, ignored = [], []
    for best in range(len(rows)):
        if not free[best]:
            continue
        together = free & (overlap[best] >= _SAME)
        # One vote a teacher: its nearest box.
        voters = [
            int(np.flatnonzero(together & (teacher == number))[overlap[best][together & (teacher == number)].argmax()])
            for number in np.unique(teacher[together])
        ]
        free[voters] = False
        scores = rows[voters, 4]
        boxes.append(np.average(rows[voters, :4], axis=0, weights=scores))
        is_sure = (len(voters) > 1 and scores.mean() >= _AGREED) or scores.max() >= _ALONE
        ignored.append(not is_sure)
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(ignored, bool)


def _with_unseen_bodies(boxes: Float32, ignored: Mask, faces: Float32, shape: tuple[int, ...]) -> tuple[Float32, Mask]:
    centre = (faces[:, :2] + faces[:, 2:]) / 2
    people = boxes[~ignored]
    inside = (centre[:, None] > people[None, :, :2]) & (centre[:, None] < people[None, :, 2:])
    covered = np.asarray(inside.all(2)).any(1)
    faces = faces[~covered]
    size = faces[:, 2:] - faces[:, :2]
    top = np.stack([(faces[:, 0] + faces[:, 2]) / 2, faces[:, 1]], 1)
    bodies = np.concatenate([top, top], 1) + _BODY * np.tile(size, 2)
    bodies = np.clip(bodies, 0, [shape[1], shape[0]] * 2).astype(np.float32)
    return np.concatenate([boxes, bodies]), np.concatenate([ignored, np.ones(len(bodies), bool)])


def _boxes(boxes: Float32, ignored: Mask) -> Boxes:
    return Boxes(boxes, ignored, np.empty((len(boxes), 0, 2), np.float32))
