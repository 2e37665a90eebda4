"""Pictures in, templates out, for the runners: read in threads, detect and embed in batches, one face a picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.media.image import read
from mien.records import Face, Float32, Image

if TYPE_CHECKING:
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

READERS = 4
PICTURES_AT_ONCE = 32

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was extracted from `N` pictures, in their order.

    Attributes:
        vectors: float32 `(N, D)`, L2-normalized; zeros where no face was found, so that similarity with it is 0.
        found: bool `(N,)`, False where no face was found.
        quality: float32 `(N,)` in [0, 1], 0 where no face was found.
        milliseconds: detection and embedding of one picture, reading excluded, mean over the pictures.
    """

    vectors: Float32
    found: NDArray[np.bool_]
    quality: Float32
    milliseconds: float


def in_batches(paths: Sequence[Path], size: int) -> Iterator[Sequence[Path]]:
    """The paths in runs of `size`, the last one shorter."""
    for start in range(0, len(paths), size):
        yield paths[start : start + size]


def read_pictures(paths: Sequence[Path]) -> list[Image]:
    """The pictures, RGB uint8, read in a few threads; the first that cannot be read raises its error."""
    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(read, paths))


def nearest_centre(faces: Sequence[Face], image: Image) -> Face | None:
    """The face whose box has its centre nearest to the picture's, None where there is none."""
    centre = np.array([image.shape[1], image.shape[0]]) / 2
    return min(
        faces,
        key=lambda face: float(
            ((face.box[:2] + face.box[2:]) / 2 - centre) @ ((face.box[:2] + face.box[2:]) / 2 - centre)
        ),
        default=None,
    )


def subjects_of(pictures: Sequence[Path], folder: Path) -> NDArray[np.str_]:
    """The subject of each picture: its first sub-folder of `folder`, or in a flat folder the name before `_0001`.

    Example:
        >>> subjects_of([Path("p/Ada_Lovelace/1.jpg"), Path("p/Alan_Turing_0002.jpg")], Path("p")).tolist()
        ['Ada_Lovelace', 'Alan_Turing']
    """
    names = []
    for picture in pictures:
        inside = picture.relative_to(folder)
        names.append(inside.parts[0] if len(inside.parts) > 1 else inside.stem.rpartition("_")[0] or inside.stem)
    return np.array(names, dtype=np.str_)


def extract(
    pictures: Sequence[Path], detector: FaceDetector, embedder: FaceEmbedder, *, progress: Progress | None = None
) -> Extraction:
    """Find the face nearest to each picture's centre and embed it.

    Args:
        pictures: `N` picture files.
        detector, embedder: loaded and ready.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: there is no picture, or one cannot be read.
    """
    if not pictures:
        raise BadInputError("there is no picture to evaluate; give a folder with pictures", code="no_pictures")
    vectors: list[Float32 | None] = []
    quality: list[float] = []
    seconds = 0.0
    for batch in in_batches(pictures, PICTURES_AT_ONCE):
        images = read_pictures(batch)
        start = time.perf_counter()
        faces = [nearest_centre(found, image) for found, image in zip(detector.batch(images), images, strict=True)]
        seen = [(image, face) for image, face in zip(images, faces, strict=True) if face is not None]
        templates = iter(embedder.batch([image for image, _ in seen], [face for _, face in seen]) if seen else [])
        seconds += time.perf_counter() - start
        for face in faces:
            template = next(templates) if face is not None else None
            vectors.append(None if template is None else template.vector)
            quality.append(0.0 if template is None else template.quality)
        if progress is not None:
            progress(len(vectors), len(pictures))
    found = np.array([vector is not None for vector in vectors])
    dimension = next((len(vector) for vector in vectors if vector is not None), 1)
    matrix = np.zeros((len(vectors), dimension), np.float32)
    if found.any():
        matrix[found] = np.stack([vector for vector in vectors if vector is not None])
    return Extraction(matrix, found, np.array(quality, np.float32), 1000 * seconds / len(pictures))
