"""WIDER FACE (Yang et al., CVPR 2016): crowds in 61 events, `EVENT/NAME.jpg`; the validation part, cut by our rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.records import Float32
from mien.training.data.matlab_file import read_matlab
from mien.training.data.pictures import PictureFiles
from mien.training.readers.split import Part, existing, forbidden_part, part_of
from mien.training.readers.terms import Terms

TERMS = Terms("WIDER FACE, our split of its validation part", "research only", research_only=True, shows="face")


def wider_face(folder: str, truth: str | None = None, part: Part = "train") -> PictureFiles:
    """Pictures, and with the truth the label `boxes`: an array of objects, each float32 `(n, 4)`, `xyxy` in pixels.

    Args:
        folder: holds one sub-folder an event.
        truth: the official `wider_face_val.mat`.
        part: by the rule of `mien.training.readers.split`, on `EVENT/NAME.jpg`; all but `train` is for measuring.

    Raises:
        BadInputError: `data_missing`, `data_empty`, and those of reading the truth.
    """
    root = existing(folder, "the sub-folders of WIDER FACE's events")
    names = [
        name for path in sorted(root.glob("*/*.jpg")) if part_of(name := f"{path.parent.name}/{path.name}") == part
    ]
    labels: dict[str, NDArray[np.object_]] = {}
    if truth is not None and names:
        boxes = _boxes(Path(truth))
        names = [name for name in names if name in boxes]
        labels["boxes"] = np.empty(len(names), object)
        labels["boxes"][:] = [boxes[name] for name in names]
    return PictureFiles(root, names, labels, forbidden=forbidden_part(part, "WIDER FACE"))


def _boxes(path: Path) -> dict[str, Float32]:
    truth = read_matlab(path)
    found = {}
    for event, files, faces in zip(
        truth["event_list"].flat, truth["file_list"].flat, truth["face_bbx_list"].flat, strict=True
    ):
        for name, box in zip(files.flat, faces.flat, strict=True):
            corners = np.asarray(box, np.float32).reshape(-1, 4).copy()
            corners[:, 2:] += corners[:, :2]
            found[f"{event}/{name}.jpg"] = corners
    return found
