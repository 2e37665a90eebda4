"""A plain folder of pictures with one sub-folder an identity."""

from __future__ import annotations

import numpy as np

from mien.errors import BadInputError
from mien.media.image import find_pictures
from mien.training.data.pictures import PictureFiles
from mien.training.readers.split import existing


def identity_folders(folder: str, least_pictures: int = 1) -> PictureFiles:
    """Every picture in the sub-folders, with the label `identity`; further folders inside a sub-folder belong to it.

    Args:
        folder: holds the sub-folders; hidden ones and empty ones do not count.
        least_pictures: identities with fewer are left out.

    Raises:
        BadInputError: `data_missing`; `data_empty`: no sub-folder holds enough pictures.
    """
    root = existing(folder, "a folder with one sub-folder an identity")
    names: list[str] = []
    owners: list[str] = []
    for inner in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        found = find_pictures(inner, recursive=True)
        if len(found) >= least_pictures:
            names += [path.relative_to(root).as_posix() for path in found]
            owners += [inner.name] * len(found)
    if not names:
        raise BadInputError(
            f"{root}: no sub-folder holds {least_pictures} pictures or more; expected one sub-folder an identity, like "
            "ada/1.jpg and ada/2.jpg",
            code="data_empty",
        )
    return PictureFiles(root, names, {"identity": np.array(owners)})
