"""Pictures with labels, as the loader takes them: read, brought to the network's size, changed at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.media.image import read
from mien.records import Image
from mien.training.data.input_format import InputFormat

Labels = Mapping[str, NDArray[Any]]
"""Arrays `(N, ...)` by name: `identity` int64 `(N,)`, counted from 0 without gaps, and what else a set has."""

Augmentation = Callable[[Image, np.random.Generator], Image]
"""Changes a picture at random; the size stays. All randomness comes from the generator."""

Sample = dict[str, Any]
"""What a batch is stacked from: numbers and arrays by name."""


class Samples(Protocol):
    """What the loader needs of a recipe's `[data]`.

    Attributes:
        labels: of all samples.
        forbidden: why this must not be trained on (a test part, a benchmark), or None; the trainer refuses it.
    """

    labels: Labels
    forbidden: str | None

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """What people call a sample: its file."""
        ...

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """One sample; the same for the same index and the same state of the generator."""
        ...


class PictureSource(Protocol):
    """Where pictures come from: files (`PictureFiles`) or a file of records (`mien.training.data.record_file`)."""

    labels: Labels
    forbidden: str | None

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """The picture's name, for messages."""
        ...

    def picture(self, index: int) -> Image:
        """The picture, RGB uint8 `(H, W, 3)`; BadInputError where it cannot be decoded."""
        ...


class PictureFiles:
    """Pictures that are files below one folder, with labels.

    Args:
        root: the folder.
        names: paths below it, `/` between the parts.
        labels: arrays of the same length; `identity` becomes numbers from 0 without gaps.
        forbidden: why they must not be trained on, or None.
        attributes: names of the columns of the label `attributes`.

    Attributes:
        identities: the set's own numbers or names of the identities, in the order of the labels; empty without.

    Raises:
        BadInputError: `data_empty`: no picture at all.
    """

    def __init__(
        self,
        root: Path,
        names: Sequence[str],
        labels: Mapping[str, NDArray[Any]],
        *,
        forbidden: str | None = None,
        attributes: Sequence[str] = (),
    ) -> None:
        if not names:
            raise BadInputError(f"{root}: holds no picture of this set; check the folder", code="data_empty")
        self.root = root
        self.forbidden = forbidden
        self.attributes = list(attributes)
        self.names = list(names)
        self.identities: list[Any] = []
        self.labels: dict[str, NDArray[Any]] = dict(labels)
        if "identity" in labels:
            found, numbers = np.unique(labels["identity"], return_inverse=True)
            self.identities = found.tolist()
            self.labels["identity"] = numbers.astype(np.int64)

    def __len__(self) -> int:
        return len(self.names)

    def name(self, index: int) -> str:
        """The path below the folder."""
        return self.names[index]

    def picture(self, index: int) -> Image:
        """The picture, RGB uint8 `(H, W, 3)`; all errors of `mien.media.image.read`."""
        return read(self.root / self.names[index])


class Together:
    """Several sets as one, one after the other, without their labels.

    Args:
        sources: the sets, at least one.
    """

    def __init__(self, sources: Sequence[PictureSource]) -> None:
        self.sources = list(sources)
        self.labels: Labels = {}
        self.forbidden = next((source.forbidden for source in sources if source.forbidden), None)
        self._ends = np.cumsum([len(source) for source in sources])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def name(self, index: int) -> str:
        """The name that the picture has in its set."""
        source, place = self._of(index)
        return source.name(place)

    def picture(self, index: int) -> Image:
        """The picture, RGB uint8 `(H, W, 3)`; the errors of its set."""
        source, place = self._of(index)
        return source.picture(place)

    def _of(self, index: int) -> tuple[PictureSource, int]:
        number = int(np.searchsorted(self._ends, index, side="right"))
        return self.sources[number], index - (int(self._ends[number - 1]) if number else 0)


class Pictures:
    """The samples of a source: `image` uint8 `(height, width, 3)`, `index`, and every label.

    A picture that cannot be decoded is replaced by the next one of the same identity (without identities: the next
    one), and the sample's `skipped` is its index, -1 otherwise: the trainer lists them.

    Args:
        source: where the pictures come from.
        input_format: their size; pictures are stretched to it.
        augmentation: applied in this order.
    """

    def __init__(
        self, source: PictureSource, input_format: InputFormat, augmentation: Sequence[Augmentation] = ()
    ) -> None:
        self.source = source
        self.size = (input_format.width, input_format.height)
        self.augmentation = list(augmentation)
        self.labels = source.labels
        self.forbidden = source.forbidden

    def __len__(self) -> int:
        return len(self.source)

    def name(self, index: int) -> str:
        """The picture's name."""
        return self.source.name(index)

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """One picture with its labels.

        Raises:
            BadInputError: `data_corrupt`: neither this picture nor those that could stand for it can be decoded.
        """
        image, used = self._readable(index)
        image = resized(image, self.size)
        for change in self.augmentation:
            image = change(image, random)
        labels = {name: values[used] for name, values in self.labels.items()}
        return {**labels, "image": image, "index": used, "skipped": -1 if used == index else index}

    def plain(self, index: int) -> Image:
        """The picture at the network's size, unchanged: what an evaluation or a teacher sees."""
        return resized(self._readable(index)[0], self.size)

    def _readable(self, index: int) -> tuple[Image, int]:
        try:
            return self.source.picture(index), index
        except BadInputError:
            stand_ins = self._stand_ins(index)
        for other in stand_ins:
            try:
                return self.source.picture(other), other
            except BadInputError:
                continue
        raise BadInputError(
            f"{self.name(index)}: cannot be decoded, nor can those that could stand for it; mend the set",
            code="data_corrupt",
        )

    def _stand_ins(self, index: int) -> list[int]:
        identity = self.labels.get("identity")
        if identity is None:
            return [(index + step) % len(self) for step in range(1, min(len(self), 10))]
        same = np.flatnonzero(identity == identity[index])
        return np.roll(same, -int(np.searchsorted(same, index)))[1:].tolist()


def resized(image: Image, size: tuple[int, int]) -> Image:
    """The picture stretched to (width, height); averaged over areas where it gets smaller."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    smaller = size[0] < width and size[1] < height
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR))
