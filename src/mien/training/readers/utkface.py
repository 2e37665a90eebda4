"""UTKFace (Zhang et al., CVPR 2017): faces named `AGE_GENDER_RACE_DATE.jpg`."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.training.data.pictures import PictureFiles
from mien.training.readers.split import Part, existing, forbidden_part, part_of
from mien.training.readers.terms import Terms

TERMS = Terms("UTKFace", "research only", research_only=True, shows="face")

_NAME = re.compile(r"(\d{1,3})_([01])_(?:\d_)?\d{8,}.*\.jpg(?:\.chip\.jpg)?")


def utkface(folder: str, part: Part = "train") -> PictureFiles:
    """Pictures with the labels `age` in years and `gender` (0 male, 1 female); names that say neither are left out.

    Args:
        folder: holds the pictures.
        part: by the rule of `mien.training.readers.split`, on the file's name; all but `train` is for measuring.

    Raises:
        BadInputError: `data_missing`, `data_empty`.
    """
    root = existing(folder, "the pictures of UTKFace")
    found = [
        (path.name, int(match[1]), int(match[2]))
        for path in sorted(root.iterdir())
        if (match := _NAME.fullmatch(path.name)) and part_of(path.name) == part
    ]
    labels: dict[str, NDArray[Any]] = {
        "age": np.array([age for _, age, _ in found], np.float32),
        "gender": np.array([gender for *_, gender in found], np.int64),
    }
    return PictureFiles(root, [name for name, *_ in found], labels, forbidden=forbidden_part(part, "UTKFace"))
