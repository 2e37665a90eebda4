"""Pictures with what a teacher says of them, asked once and kept on disk.

Each picture is shown in several views, drawn once from the seed: the first is the picture itself, the second its
mirror image, and every further one is turned, moved and scaled a little and, where asked for, mixed with another
picture: few pictures give many inputs, and teacher and student always see the very same one (Beyer et al., "Knowledge
distillation: A good teacher is patient and consistent", CVPR 2022). Asking a teacher costs as much as a step of a small
student, so it is asked for a view when that is first needed, and the answer is kept for later epochs and later runs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.records import Image
from mien.training.data.input_format import InputFormat
from mien.training.data.pictures import Augmentation, PictureSource, Sample, resized
from mien.training.data.teacher import Teacher

_TURN_DEGREES, _SHIFT, _ZOOM = 6.0, 0.03, 0.06


class Lessons:
    """The samples of a distillation: `image` uint8 `(height, width, 3)`, `embedding` float16 `(D,)`, `hint_0`,
    `hint_1` ... float16 `(C, H, W)`, and every label of the source.

    Hints are kept at half the teacher's resolution.

    Args:
        source: the pictures; N of them give N x `views` samples.
        input_format: what the student sees.
        seed: of the views.
        teacher: is asked.
        folder: where its answers are kept, one sub-folder for each choice of pictures, teacher and views.
        views: of each picture, at least 1.
        assume_mirror: the second view's answer is taken to be the first's, its maps mirrored, instead of being asked
            for. True of teachers of bodies nearly enough; not of those of faces.
        mixing: probability that a view after the second is mixed half and half (0.3 to 0.7) with another picture.
        augmentation: applied to the student's picture only, in this order.

    Attributes:
        dimension: length of the teacher's embedding.
        hint_widths: channels of each hint.
    """

    def __init__(
        self,
        source: PictureSource,
        input_format: InputFormat,
        seed: int,
        teacher: Teacher,
        folder: str,
        views: int = 2,
        assume_mirror: bool = False,
        mixing: float = 0.0,
        augmentation: Sequence[Augmentation] = (),
    ) -> None:
        if mixing > 0 and source.labels:
            raise BadInputError(
                f"data.mixing = {mixing}: a mixed picture has no label, and this set has {', '.join(source.labels)}; "
                "set mixing to 0, or take them away with mien.training.data.pictures.Together",
                code="recipe_value",
            )
        self.source, self.teacher, self.views, self.mixing = source, teacher, views, mixing
        self.assume_mirror = assume_mirror
        self.size = (input_format.width, input_format.height)
        self.augmentation = list(augmentation)
        self.forbidden = source.forbidden
        self.labels = {name: np.repeat(values, views, axis=0) for name, values in source.labels.items()}
        self._seed = seed
        shapes = {name: values.shape for name, values in self._ask(0).items()}
        kept = _kept(Path(folder).expanduser() / self._key(), len(self), shapes)
        self._done = kept.pop("done")
        self._answers = kept
        self.dimension = teacher.dimension
        self.hint_widths = tuple(values.shape[1] for name, values in self._answers.items() if name.startswith("hint"))

    def __len__(self) -> int:
        return len(self.source) * self.views

    def name(self, index: int) -> str:
        """The picture's name and the number of its view."""
        return f"{self.source.name(index // self.views)} (view {index % self.views})"

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """One view with the teacher's answer."""
        image = resized(self.view(index), self.size)
        for change in self.augmentation:
            image = change(image, random)
        labels = {name: values[index] for name, values in self.labels.items()}
        answers = self._answer(index)
        return {**labels, **answers, "image": image, "index": index, "skipped": -1}

    def plain(self, index: int) -> Image:
        """The view at the student's size, without augmentation."""
        return resized(self.view(index), self.size)

    def view(self, index: int) -> Image:
        """Sample `index` as the teacher sees it, RGB uint8 of the teacher's size."""
        number, view = divmod(index, self.views)
        size = self.teacher.size[::-1]
        image = resized(self.source.picture(number), size)
        if view == 0:
            return image
        mirrored = np.ascontiguousarray(image[:, ::-1])
        if view == 1:
            return mirrored
        random = np.random.default_rng([self._seed, index])
        image = moved(mirrored if random.random() < 0.5 else image, random)
        if random.random() < self.mixing:
            other = resized(self.source.picture(int(random.integers(len(self.source)))), size)
            share = random.uniform(0.3, 0.7)
            image = np.asarray(cv2.addWeighted(image, share, other, 1 - share, 0))
        return image

    def _answer(self, index: int) -> dict[str, NDArray[np.float16]]:
        """The kept answer; asked for now where there is none."""
        assumed = self.assume_mirror and index % self.views == 1
        asked = index - assumed
        if not self._done[asked]:
            for name, values in self._ask(asked).items():
                self._answers[name][asked] = values
            self._done[asked] = True
        answers = {name: np.array(values[asked]) for name, values in self._answers.items()}
        if not assumed:
            return answers
        return {name: value[..., ::-1].copy() if name.startswith("hint") else value for name, value in answers.items()}

    def _ask(self, index: int) -> dict[str, NDArray[np.float16]]:
        lesson = self.teacher(self.view(index)[None])
        hints = {f"hint_{place}": _halved(maps[0]) for place, maps in enumerate(lesson.maps)}
        return {"embedding": lesson.embeddings[0].astype(np.float16), **hints}

    def _key(self) -> str:
        """Names all that the answers depend on."""
        names = hashlib.sha256("\n".join(self.source.name(i) for i in range(len(self.source))).encode()).hexdigest()
        shapes = [names, self.teacher.name, list(self.teacher.hints), self.views, self.mixing, self._seed]
        return hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16]


def moved(image: Image, random: np.random.Generator) -> Image:
    """Turned by up to 6 degrees, scaled by up to 6%, moved by up to 3% of the side; the border goes on."""
    height, width = image.shape[:2]
    angle, zoom = random.uniform(-_TURN_DEGREES, _TURN_DEGREES), 1 + random.uniform(-_ZOOM, _ZOOM)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, zoom)
    matrix[:, 2] += random.uniform(-_SHIFT, _SHIFT, 2) * np.array([width, height])
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _halved(maps: NDArray[np.float32]) -> NDArray[np.float16]:
    """Maps `(C, H, W)` averaged over 2 x 2 places, `(C, H // 2, W // 2)`."""
    channels, height, width = maps.shape
    even = maps[:, : height // 2 * 2, : width // 2 * 2]
    return even.reshape(channels, height // 2, 2, width // 2, 2).mean((2, 4)).astype(np.float16)


def _kept(folder: Path, count: int, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[Any]]:
    """The arrays of a folder, open for writing: `(count, *shape)` each, and `done`, which rows are filled.

    A new folder gets its name when all its files are there: several processes may start at a time.
    """
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
        for name, shape in shapes.items():
            np.lib.format.open_memmap(temporary / f"{name}.npy", mode="w+", dtype=np.float16, shape=(count, *shape))
        np.lib.format.open_memmap(temporary / "done.npy", mode="w+", dtype=np.bool_, shape=(count,))
        try:
            temporary.rename(folder)
        except OSError:  # another process was faster
            shutil.rmtree(temporary)
    return {name: np.load(folder / f"{name}.npy", mmap_mode="r+") for name in (*shapes, "done")}
