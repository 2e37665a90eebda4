"""Finds people's bodies: YOLOX-Nano, NanoDet-m, Intel's retail-0013 or our own behind one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from mien.errors import UsageError
from mien.geometry import suppress
from mien.models.catalogue import Model, default, model
from mien.models.runtime import Outputs, Session
from mien.person.decoding import decode_nanodet, decode_ssd, decode_yolox, decode_yunet
from mien.records import Float32, Image, Person
from mien.settings import settings

LONG_SIDE = 416
"""Longest side in pixels of what a network of any size looks at."""

_DECODERS: dict[str, Callable[[Outputs, int, int, float], Float32]] = {
    "yolox": decode_yolox,
    "ssd": decode_ssd,
    "nanodet": decode_nanodet,
    "yunet": decode_yunet,
}
_BORDER = 114
"""Grey level around a picture that does not fill the network's input, as in YOLOX's training."""
_OVERLAP = 0.45
"""IoU above which two rows are one person."""


class PersonDetector:
    """Person detection on RGB pictures of any size; safe to call from several threads.

    Args:
        name: a person-detection model of the catalogue; None takes the pack's.
        score: least confidence of a person, in [0, 1]; trackers that use weak boxes ask for less.
        session: a session to share; None opens one.

    Attributes:
        name: the model's name.
        score: as given.

    Raises:
        UsageError: `model_wrong_task`.

    Example:
        >>> from mien.media.image import read
        >>> [person.score for person in PersonDetector()(read("street.jpg"))]  # doctest: +SKIP
        [0.91, 0.84]
    """

    def __init__(self, name: str | None = None, *, score: float = 0.5, session: Session | None = None) -> None:
        entry = model(name) if name else default("person-detection", settings().pack)
        if entry.task != "person-detection" or entry.outputs not in _DECODERS:
            raise UsageError(
                f"{entry.name} is for {entry.task}, not a person detector that mien can read; `mien models list` shows "
                "those.",
                code="model_wrong_task",
            )
        self.name = entry.name
        self.score = score
        self._entry = entry
        self._decode = _DECODERS[entry.outputs]
        self._session = session or Session(entry)

    def __call__(self, image: Image) -> list[Person]:
        """People in one RGB uint8 picture `(H, W, 3)`, best first; boxes in its pixels."""
        return self.batch([image])[0]

    def batch(self, images: Sequence[Image]) -> list[list[Person]]:
        """People in several pictures, which are in flight together."""
        inputs = [_network_input(image, self._entry) for image in images]
        found = []
        outputs = self._session.many([pixels[None] for pixels, _ in inputs])
        for (pixels, scale), output in zip(inputs, outputs, strict=True):
            height, width = pixels.shape[:2]
            rows = self._decode(output, height, width, self.score)
            rows[:, :4] /= scale
            found.append([Person(row[:4], float(row[4])) for row in rows[suppress(rows[:, :4], rows[:, 4], _OVERLAP)]])
        return found


def _network_input(image: Image, entry: Model) -> tuple[Image, Float32]:
    """The picture as the network takes it, and its pixels for one of the picture's, `(4,)` for xyxy.

    retail-0013 takes the picture stretched to its input (its card); the others keep its proportions, with the picture
    in the top left corner of their input.
    """
    if entry.name == "person-detection-retail-0013":
        assert entry.input.size is not None
        height, width = entry.input.size
        scale = np.array([width / image.shape[1], height / image.shape[0]] * 2, np.float32)
        return _resized(image, height, width), scale
    ratio = LONG_SIDE / max(image.shape[:2])
    height, width = (max(1, round(side * ratio)) for side in image.shape[:2])
    scale = np.array([width / image.shape[1], height / image.shape[0]] * 2, np.float32)
    full = entry.input.size or (height + -height % entry.input.multiple, width + -width % entry.input.multiple)
    padded = np.full((*full, 3), _BORDER, np.uint8)
    padded[:height, :width] = _resized(image, height, width)
    return padded, scale


def _resized(image: Image, height: int, width: int) -> Image:
    smaller = height * width < image.shape[0] * image.shape[1] / 4
    filtering = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=filtering).astype(np.uint8, copy=False)
