"""Rank lists as pictures: a query, and whom the gallery answers, right ones framed green and wrong ones red."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.drawing.contact_sheet import Tile, grouped_contact_sheet
from mien.drawing.text import Colour
from mien.evaluation.reid.figures import Rankings
from mien.evaluation.reid.names import JUNK, Sightings
from mien.media.image import read, write
from mien.records import Float32, Image

LISTS = 10
"""Queries on a sheet."""
ANSWERS = 9

_HEIGHT, _FRAME, _GAP = 148, 4, 2
_QUERY: Colour = (60, 64, 70)
_RIGHT: Colour = (26, 150, 65)
_WRONG: Colour = (202, 40, 40)


def write_rank_lists(
    folder: Path,
    files: Sequence[Sequence[Path]],
    seen: Sequence[Sightings],
    distances: Float32,
    found: Rankings,
) -> None:
    """Writes `sample.png`, queries evenly spaced over all, and `hardest.png`, those of the lowest average precision.

    Args:
        folder: exists.
        files, seen: pictures and sightings of the queries (`Q`) and of the gallery (`G`).
        distances: float32 `(Q, G)`, smaller is closer.
        found: of the same queries.
    """
    counted = np.flatnonzero(found.first > 0)
    sample = counted[np.linspace(0, len(counted) - 1, min(LISTS, len(counted))).astype(np.intp)]
    hardest = counted[np.argsort(found.average_precision[counted], kind="stable")[:LISTS]]
    for name, queries in (("sample.png", sample), ("hardest.png", hardest)):
        groups = [_rank_list(int(row), files, seen, distances, found) for row in queries]
        write(folder / name, grouped_contact_sheet(groups, columns=1 + ANSWERS))


def _rank_list(
    row: int, files: Sequence[Sequence[Path]], seen: Sequence[Sightings], distances: Float32, found: Rankings
) -> tuple[str, list[Tile]]:
    query, gallery = seen
    person, camera = int(query.people[row]), int(query.cameras[row])
    counted = (gallery.people != JUNK) & ~((gallery.people == person) & (gallery.cameras == camera))
    candidates = np.flatnonzero(counted)
    nearest = candidates[np.argsort(distances[row, candidates], kind="stable")[:ANSWERS]]
    tiles = [Tile(_framed(read(files[0][row]), _QUERY), f"query {person}", f"camera {camera}")]
    for rank, answer in enumerate(nearest, start=1):
        is_right = int(gallery.people[answer]) == person
        subtitle = f"{distances[row, answer]:.3f}, camera {gallery.cameras[answer]}"
        picture = _framed(read(files[1][answer]), _RIGHT if is_right else _WRONG)
        tiles.append(Tile(picture, f"{rank}: {gallery.people[answer]}", subtitle))
    matches = _matches(query, gallery, row)
    title = f"{files[0][row].name}   AP {found.average_precision[row]:.2f}   first of {matches} at {found.first[row]}"
    return title, tiles


def _matches(query: Sightings, gallery: Sightings, row: int) -> int:
    same: NDArray[np.bool_] = gallery.people == query.people[row]
    return int((same & (gallery.cameras != query.cameras[row])).sum())


def _framed(image: Image, colour: Colour) -> Image:
    width = max(1, round(image.shape[1] * _HEIGHT / image.shape[0]))
    margin = _FRAME + _GAP
    framed = np.full((_HEIGHT + 2 * margin, width + 2 * margin, 3), colour, np.uint8)
    framed[_FRAME:-_FRAME, _FRAME:-_FRAME] = 255
    framed[margin:-margin, margin:-margin] = cv2.resize(image, (width, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    return framed
