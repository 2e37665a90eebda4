"""Market-1501 (Zheng et al., ICCV 2015): people on six cameras; names are `ID_cCAMsSEQ_FRAME_BOX.jpg`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.training.data.matlab_file import read_matlab
from mien.training.data.pictures import PictureFiles
from mien.training.readers.split import existing
from mien.training.readers.terms import Terms

TERMS = Terms("Market-1501", "research only, no redistribution", research_only=True, shows="person")

_NAME = re.compile(r"(-1|\d{4})_c(\d)s(\d)_(\d{6})_\d{2}.*\.jpg")
_FOLDERS = {"train": "bounding_box_train", "gallery": "bounding_box_test", "query": "query"}

Part = Literal["train", "query", "gallery"]


def market1501(
    folder: str,
    part: Part = "train",
    first_identities: int | None = None,
    skip_identities: int = 0,
    attributes: str | None = None,
) -> PictureFiles:
    """Pictures with the labels `identity`, `camera` (from 0), `sequence`, `frame`, and with attributes `attributes`:
    int64 `(N, 27)` of values from 1 as Lin et al. ("Improving person re-identification by attribute and identity
    learning", 2019) give them, whose columns are named by the result's `attributes`.

    Args:
        folder: holds `bounding_box_train`, `query` and `bounding_box_test`, or is one of them, or holds pictures of
            training identities itself.
        part: `query` and `gallery` are the official test, never trained on.
        first_identities: take only so many identities, in rising order.
        skip_identities: leave out so many first.
        attributes: their `market_attribute.mat`.

    Raises:
        BadInputError: `data_missing`, `data_empty`, and those of reading the attributes.
    """
    root = existing(folder, f"Market-1501 with {_FOLDERS[part]} in it, or its pictures")
    official = root / _FOLDERS[part]
    is_test = part != "train" or root.resolve().name in (_FOLDERS["gallery"], _FOLDERS["query"])
    root = official if official.is_dir() else root
    found = [(path.name, match) for path in sorted(root.glob("*.jpg")) if (match := _NAME.fullmatch(path.name))]
    names = [name for name, _ in found]
    table = np.array([[int(value) for value in match.groups()] for _, match in found], np.int64).reshape(-1, 4)
    if first_identities is not None or skip_identities:
        chosen = np.unique(table[:, 0])[skip_identities:][:first_identities]
        kept = np.isin(table[:, 0], chosen)
        names = [name for name, is_kept in zip(names, kept, strict=True) if is_kept]
        table = table[kept]
    if not names:
        raise BadInputError(
            f"{root}: holds no picture of Market-1501 with these identities; expected names like "
            "0002_c1s1_000451_03.jpg",
            code="data_empty",
        )
    labels = {"identity": table[:, 0], "camera": table[:, 1] - 1, "sequence": table[:, 2], "frame": table[:, 3]}
    columns: list[str] = []
    if attributes is not None:
        columns, labels["attributes"] = _attributes(Path(attributes), "test" if is_test else "train", table[:, 0])
    # Identities -1 (junk) and 0 (distractors) exist in the official test only.
    return PictureFiles(
        root,
        names,
        labels,
        attributes=columns,
        forbidden="the official test of Market-1501 is for reporting" if is_test or table[:, 0].min() <= 0 else None,
    )


def _attributes(path: Path, half: str, people: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    table = read_matlab(path)["market_attribute"][half]
    columns = sorted(name for name in table if name != "image_index")
    known = {int(person): row for row, person in enumerate(table["image_index"].flat)}
    missing = sorted(set(people.tolist()) - known.keys())
    if missing:
        raise BadInputError(
            f"{path}: has no attributes of {len(missing)} identities of the {half} pictures, e.g. {missing[0]}",
            code="data_unlabelled",
        )
    values = np.stack([table[name].ravel() for name in columns], 1).astype(np.int64)
    return columns, values[[known[person] for person in people.tolist()]]
