"""PETA (Deng et al., ACM MM 2014): pedestrians of ten sets, `SUBSET/archive/NAME`, with attributes in `Label.txt`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mien.media.image import find_pictures
from mien.training.data.pictures import PictureFiles
from mien.training.readers.split import Part, existing, forbidden_part, part_of
from mien.training.readers.terms import Terms

TERMS = Terms("PETA", "research only", research_only=True, shows="person")

_LABELS = "Label.txt"


def peta(folder: str, part: Part = "train") -> PictureFiles:
    """Pictures with the labels `identity` (people of different subsets are different people) and `attributes`, uint8
    `(N, A)` of 0 and 1, whose columns are named by the result's `attributes`.

    Args:
        folder: holds one folder a subset.
        part: by the rule of `mien.training.readers.split`, on `SUBSET/NAME`; all but `train` is for measuring.

    Raises:
        BadInputError: `data_missing`, `data_empty`.
    """
    root = existing(folder, "the ten subsets of PETA")
    names: list[str] = []
    people: list[str] = []
    given: list[set[str]] = []
    known: set[str] = set()
    for file in sorted(root.glob(f"*/archive/{_LABELS}")):
        subset, labels = file.parent.parent.name, _labels(file)
        known.update(*labels.values())
        for path in find_pictures(file.parent):
            # A line names one picture, or a person, with whom the names of all pictures begin.
            person = path.stem.split("_")[0]
            words = labels.get(path.name, labels.get(person, labels.get(person.lstrip("0"))))
            if words is not None and part_of(f"{subset}/{path.name}") == part:
                names.append(path.relative_to(root).as_posix())
                people.append(f"{subset}/{person}")
                given.append(words)
    columns = sorted(known)
    table = np.zeros((len(given), len(columns)), np.uint8)
    for row, words in zip(table, given, strict=True):
        row[:] = [name in words for name in columns]
    return PictureFiles(
        root,
        names,
        {"identity": np.array(people), "attributes": table},
        forbidden=forbidden_part(part, "PETA"),
        attributes=columns,
    )


def _labels(path: Path) -> dict[str, set[str]]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {words[0]: set(words[1:]) for line in lines if (words := line.split())}
