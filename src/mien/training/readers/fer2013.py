"""FER2013 (Goodfellow et al., ICONIP 2013): grey faces of 48x48 pixels as `PART/EXPRESSION/NAME.jpg`."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mien.training.data.pictures import PictureFiles
from mien.training.readers.split import existing
from mien.training.readers.terms import Terms

TERMS = Terms("FER2013", "research only", research_only=True, shows="face")

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""What the numbers of the label mean."""


def fer2013(folder: str, part: Literal["train", "validation", "test"] = "train") -> PictureFiles:
    """Pictures with the label `expression`, int64, a place in `EXPRESSIONS`.

    Args:
        folder: holds the official parts as `train`, `validation` and `test`.
        part: all but `train` is for measuring.

    Raises:
        BadInputError: `data_missing`, `data_empty`.
    """
    root = existing(folder, "the folders train, validation and test of FER2013")
    existing(root / part, "this part's pictures")
    names = sorted(path.relative_to(root).as_posix() for path in root.glob(f"{part}/*/*.jpg"))
    found = [(name, EXPRESSIONS.index(word)) for name in names if (word := name.split("/")[1]) in EXPRESSIONS]
    forbidden = None if part == "train" else f"the part '{part}' of FER2013 is kept for measuring"
    labels = {"expression": np.array([number for _, number in found], np.int64)}
    return PictureFiles(root, [name for name, _ in found], labels, forbidden=forbidden)
