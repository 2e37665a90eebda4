"""The people of a folder of pictures, without names: every face found, then clustered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import BadInputError
from mien.identity.clusters import LINKAGE_FMR, average_linkage
from mien.identity.operating_point import threshold_for_fmr
from mien.identity.pictures import analyzer, failures, folder_pictures
from mien.identity.search import calibration
from mien.media.image import read
from mien.records import Face, Image


@dataclass(frozen=True, slots=True, eq=False)
class AlbumFace:
    """A face of an album: where it is, and its aligned crop as a thumbnail, RGB uint8 `(S, S, 3)`."""

    path: Path
    face: Face
    thumbnail: Image


@dataclass(frozen=True, slots=True)
class Album:
    """The people of a folder, those with most faces first, and the pictures that could not be read, with the reason."""

    pictures: int
    people: list[list[AlbumFace]]
    failed: list[tuple[Path, BadInputError]]

    @property
    def faces(self) -> int:
        """How many faces there are."""
        return sum(len(person) for person in self.people)

    def to_dict(self) -> dict[str, Any]:
        """As JSON: one list a person of where their faces are."""
        people = [
            {"person": number + 1, "faces": [{"source": str(f.path), **f.face.to_dict()} for f in person]}
            for number, person in enumerate(self.people)
        ]
        return {"pictures": self.pictures, "faces": self.faces, "people": people, "failed": failures(self.failed)}


def cluster_album(folder: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> Album:
    """Find the faces of every picture below a folder and group them by person.

    Args:
        folder: searched with its sub-folders.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: the folder cannot be read or holds no picture.
    """
    paths = folder_pictures(folder, recursive=True)
    found: list[AlbumFace] = []
    failed: list[tuple[Path, BadInputError]] = []
    analyze = analyzer(None)
    for done, path in enumerate(paths):
        progress(done, len(paths))
        try:
            image = read(path)
        except BadInputError as error:
            failed.append((path, error))
            continue
        found += [AlbumFace(path, face, analyze.embedder.crop(image, face)) for face in analyze(image)]
    progress(len(paths), len(paths))
    if not found:
        return Album(len(paths), [], failed)
    vectors = np.stack([face.face.embedding for face in found if face.face.embedding is not None])
    table = calibration(analyze.embedder.name, analyze.embedder.fingerprint)
    labels = average_linkage(vectors, threshold_for_fmr(table, LINKAGE_FMR).value)
    people = [[found[i] for i in np.flatnonzero(labels == label)] for label in range(int(labels.max()) + 1)]
    return Album(len(paths), sorted(people, key=len, reverse=True), failed)
