"""Age and gender of a face, by age-gender-recognition-retail-0013: adults of 18 to 75 years (its card)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mien.face.align import box_matrix, warp
from mien.geometry import square_box
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.records import Face, Image

_SIZE = 62
_CONTEXT = 1.1
"""Side of the crop in sides of the face's box: chosen on the UTKFace sample (`benchmarks/age_gender.py`)."""


class AgeGenderEstimator:
    """Age in years and gender of faces."""

    def __init__(self) -> None:
        self._session = Session(default("age-gender"))

    def __call__(self, image: Image, faces: Sequence[Face]) -> list[tuple[float, Literal["male", "female"]]]:
        """(age, gender) of the faces of one RGB uint8 picture, in their order."""
        if not faces:
            return []
        crops = np.stack([warp(image, box_matrix(square_box(face.box, _CONTEXT), _SIZE), _SIZE) for face in faces])
        outputs = self._session(crops)
        ages = outputs["age_conv3"].ravel() * 100
        is_male = outputs["prob"].reshape(-1, 2).argmax(1)
        return [(float(age), "male" if male else "female") for age, male in zip(ages, is_male, strict=True)]
