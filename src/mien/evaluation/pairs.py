"""LFW pair lists: which pictures to compare, and who is on them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.media.image import find_pictures

LEAST_PAIRS = 10
"""Fewer pairs cannot be cut into ten folds."""


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """`P` pairs of pictures.

    Attributes:
        pictures: every picture that occurs, once.
        first, second: intp `(P,)`, indices into `pictures`.
        same: bool `(P,)`, True for mated pairs.
        folds: intp `(P,)`, or None where the list has no folds.
    """

    pictures: list[Path]
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    same: NDArray[np.bool_]
    folds: NDArray[np.intp] | None


def read_pairs(file: Path, images: Path) -> Pairs:
    """Read a list in LFW's format.

    The first line is `N`, or `FOLDS N`; then come, for each fold, N lines `NAME I J` (one person, two pictures) and N
    lines `NAME I OTHER J`. Picture I of NAME is the file `NAME_000I` with any extension, anywhere below `images`.

    Raises:
        BadInputError: `pairs_missing`, `pairs_invalid` (says the line), or `picture_missing`.
    """
    try:
        lines = Path(file).read_text("utf-8").splitlines()
    except OSError as error:
        raise BadInputError(f"the pair list {file} cannot be read: {error.strerror}", code="pairs_missing") from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"the pair list {file} is not text in UTF-8", code="pairs_invalid") from error
    rows = [(number, line.split()) for number, line in enumerate(lines, 1) if line.strip()]
    folds, count = _counts(file, rows)
    by_name = {path.stem: path for path in find_pictures(images, recursive=True)}
    positions: dict[Path, int] = {}
    pairs = []
    for order, (number, words) in enumerate(rows[1:]):
        same = order % (2 * count) < count
        if len(words) != (3 if same else 4):
            raise BadInputError(
                f"the pair list {file}, line {number}: {' '.join(words)!r}; expected "
                f"{'NAME I J, a mated pair' if same else 'NAME I OTHER J, a non-mated pair'}",
                code="pairs_invalid",
            )
        sides = [(words[0], words[1]), (words[-2] if not same else words[0], words[-1])]
        pair = [_picture(file, number, name, picture, by_name, images) for name, picture in sides]
        pairs.append([positions.setdefault(path, len(positions)) for path in pair])
    order_of_pairs = np.arange(len(pairs))
    first, second = np.array(pairs, np.intp).T
    return Pairs(
        list(positions),
        first,
        second,
        order_of_pairs % (2 * count) < count,
        None if folds is None else order_of_pairs // (2 * count),
    )


def _counts(file: Path, rows: list[tuple[int, list[str]]]) -> tuple[int | None, int]:
    """Folds (None without) and mated pairs a fold, checked against the number of lines."""
    header = rows[0][1] if rows else []
    if not 1 <= len(header) <= 2 or not all(word.isdecimal() and int(word) for word in header):
        raise BadInputError(
            f"the pair list {file} starts with {' '.join(header)!r}; expected the number of pairs of each kind, or the "
            "number of folds and that number",
            code="pairs_invalid",
        )
    folds, count = (int(header[0]), int(header[1])) if len(header) == 2 else (None, int(header[0]))
    expected = 2 * count * (folds or 1)
    if len(rows) - 1 != expected:
        raise BadInputError(
            f"the pair list {file} has {len(rows) - 1} pairs where its first line promises {expected}; get it whole",
            code="pairs_invalid",
        )
    if folds == 1 or expected < LEAST_PAIRS:
        raise BadInputError(
            f"the pair list {file} has {expected} pairs in {folds or 'no'} folds; ten folds need {LEAST_PAIRS} pairs, "
            "and a list with folds needs two of them",
            code="pairs_invalid",
        )
    return folds, count


def _picture(file: Path, number: int, name: str, picture: str, by_name: dict[str, Path], images: Path) -> Path:
    if not picture.isdecimal():
        raise BadInputError(
            f"the pair list {file}, line {number}: {picture!r} is not the number of a picture", code="pairs_invalid"
        )
    stem = f"{name}_{int(picture):04d}"
    if stem not in by_name:
        raise BadInputError(
            f"the pair list {file}, line {number} names picture {stem}, which is not below {images}; give the folder "
            "that the list belongs to",
            code="picture_missing",
        )
    return by_name[stem]
