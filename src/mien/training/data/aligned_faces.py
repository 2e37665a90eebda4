"""Aligned faces as pictures to train on: found by mien's own detector in pictures that nobody has to label."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.face.align import alignment, warp
from mien.face.detector import FaceDetector
from mien.media.files import replacing
from mien.records import Image
from mien.training.data.pictures import PictureSource

log = logging.getLogger(__name__)

_AT_ONCE = 16


class AlignedFaces:
    """Every face of some sets as a `PictureSource` of crops, found once and kept on disk.

    Args:
        sources: the sets; their labels are not used.
        folder: where the crops are kept, one file for each choice of pictures and alignment.
        template: name of the alignment (`mien.face.align.TEMPLATES`).
        size: side of a crop in pixels.
        smallest: faces whose box has a shorter side than this many pixels are left out.

    Raises:
        BadInputError: `no_faces`: no picture holds a face of this size.
    """

    def __init__(
        self,
        sources: Sequence[PictureSource],
        folder: str,
        template: str = "retail-0095",
        size: int = 128,
        smallest: float = 24.0,
    ) -> None:
        names = [source.name(index) for source in sources for index in range(len(source))]
        self._key = hashlib.sha256(json.dumps([names, template, size, smallest]).encode()).hexdigest()[:16]
        file = Path(folder).expanduser() / f"{self._key}.npy"
        if not file.is_file():
            crops = aligned_faces(sources, FaceDetector(), template=template, size=size, smallest=smallest)
            file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as temporary, temporary.open("wb") as stream:
                np.save(stream, crops)
        self._crops: Image = np.load(file, mmap_mode="r")
        self.labels: dict[str, NDArray[Any]] = {}
        self.forbidden = next((source.forbidden for source in sources if source.forbidden), None)

    def __len__(self) -> int:
        return len(self._crops)

    def name(self, index: int) -> str:
        """The face's number, and what tells this collection of faces from others."""
        return f"face {index} of {self._key}"

    def picture(self, index: int) -> Image:
        """The crop, RGB uint8 `(size, size, 3)`."""
        return np.array(self._crops[index])


def aligned_faces(
    sources: Sequence[PictureSource], detector: FaceDetector, *, template: str, size: int, smallest: float
) -> Image:
    """Every face of the pictures as an aligned crop.

    Args:
        sources: the pictures; one that cannot be read is left out with a warning.
        detector: loaded and ready.
        template, size, smallest: as `AlignedFaces`.

    Returns:
        RGB uint8 `(N, size, size, 3)`, in the order of the pictures, best face of a picture first.

    Raises:
        BadInputError: as `AlignedFaces`.
    """
    crops: list[Image] = []
    count = sum(len(source) for source in sources)
    for batch in _batches(_pictures(sources)):
        for image, faces in zip(batch, detector.batch(batch), strict=True):
            crops += [
                warp(image, alignment(face.landmarks, template, size), size)
                for face in faces
                if min(face.box[2] - face.box[0], face.box[3] - face.box[1]) >= smallest
            ]
    if not crops:
        message = f"no face of {smallest:.0f} pixels or more was found in {count} pictures; give others"
        raise BadInputError(message, code="no_faces")
    log.info("%d faces in %d pictures", len(crops), count)
    return np.stack(crops)


def _pictures(sources: Sequence[PictureSource]) -> Iterator[Image]:
    for source in sources:
        for index in range(len(source)):
            try:
                yield source.picture(index)
            except BadInputError as error:
                log.warning("left out: %s", error)


def _batches(images: Iterator[Image]) -> Iterator[list[Image]]:
    batch: list[Image] = []
    for image in images:
        batch.append(image)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch
