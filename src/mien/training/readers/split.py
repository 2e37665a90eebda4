"""Which part of a set a picture belongs to, where the set has no official parts.

sha256 of the picture's stated name, as a number, modulo 5: 0 is for reporting, 1 for choosing, 2 to 4 for training.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Literal

from mien.errors import BadInputError

Part = Literal["train", "choose", "report"]

_PARTS: tuple[Part, ...] = ("report", "choose", "train", "train", "train")


def part_of(name: str) -> Part:
    """The part of a picture by its stated name (which differs by set: a file's name, or `FOLDER/NAME`).

    Example:
        >>> part_of("0--Parade/0_Parade_marchingband_1_20.jpg")
        'train'
    """
    return _PARTS[int(sha256(name.encode()).hexdigest(), 16) % len(_PARTS)]


def forbidden_part(part: Part, where: str) -> str | None:
    """Why a part must not be trained on, or None for the training part.

    Args:
        part: asked for.
        where: the set's name.
    """
    return None if part == "train" else f"the part '{part}' of {where} is kept for measuring"


def existing(folder: str | Path, what: str) -> Path:
    """The folder of a set.

    Raises:
        BadInputError: `data_missing`: there is no such folder.
    """
    path = Path(folder)
    if not path.is_dir():
        raise BadInputError(f"{path}: no such folder; expected {what}", code="data_missing")
    return path
