"""Pictures with boxes: what a detector learns from, and the labels kept on disk that a teacher gave."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.media.files import replacing
from mien.records import Float32
from mien.training.data.pictures import PictureSource


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """The objects of one picture.

    Attributes:
        boxes: float32 `(n, 4)`, xyxy in pixels.
        ignored: bool `(n,)`: regions where finding something is neither right nor wrong.
        landmarks: float32 `(n, L, 2)` in pixels, NaN where they are not known; L is 0 where objects have none.
    """

    boxes: Float32
    ignored: NDArray[np.bool_]
    landmarks: Float32


class BoxedSource(PictureSource, Protocol):
    """Pictures with `Boxes`."""

    def objects(self, index: int) -> Boxes:
        """The objects of the picture `index`."""
        ...


class TaughtSource:
    """A source whose pictures get their boxes from a function, once; the answers are kept in a folder.

    Args:
        source: the pictures.
        folder: where the labels are kept, one file for each choice of pictures and settings.
        settings: what else the labels depend on; anything that JSON can hold.
        teach: index of a picture -> its boxes.
    """

    def __init__(self, source: PictureSource, folder: str, settings: Any, teach: Callable[[int], Boxes]) -> None:
        self._source = source
        self.labels = source.labels
        self.forbidden = source.forbidden
        names = [source.name(index) for index in range(len(source))]
        key = hashlib.sha256(json.dumps([names, settings]).encode()).hexdigest()[:16]
        file = Path(folder).expanduser() / f"boxes-{key}.npz"
        if not file.is_file():
            _save(file, [teach(index) for index in range(len(source))])
        self._objects = _load(file)

    def __len__(self) -> int:
        return len(self._source)

    def name(self, index: int) -> str:
        """The picture's name."""
        return self._source.name(index)

    def picture(self, index: int) -> NDArray[np.uint8]:
        """The picture, RGB uint8 `(H, W, 3)`."""
        return self._source.picture(index)

    def objects(self, index: int) -> Boxes:
        """The objects of the picture `index`."""
        return self._objects[index]


def _save(file: Path, objects: Sequence[Boxes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with replacing(file) as temporary, temporary.open("wb") as stream:
        np.savez(
            stream,
            counts=np.array([len(entry.boxes) for entry in objects]),
            boxes=np.concatenate([entry.boxes for entry in objects]),
            ignored=np.concatenate([entry.ignored for entry in objects]),
            landmarks=np.concatenate([entry.landmarks for entry in objects]),
        )


def _load(file: Path) -> list[Boxes]:
    with np.load(file) as content:
        ends = np.cumsum(content["counts"])[:-1]
        columns = [np.split(content[name], ends) for name in ("boxes", "ignored", "landmarks")]
    return [Boxes(*entry) for entry in zip(*columns, strict=True)]
