"""Samples for detectors: random windows of pictures, one or four to a sample, with the boxes in them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.errors import BadInputError
from mien.records import Float32, Image
from mien.training.data.boxed_pictures import BoxedSource, Boxes
from mien.training.data.input_format import InputFormat
from mien.training.data.pictures import Augmentation, Sample

OBJECT, IGNORED = 1, 2
"""What a row of `kinds` says; 0 is a row that only fills up."""

_ON_OBJECT = 0.8
"""Share of the windows that are put where an object is; the others lie anywhere."""
_VISIBLE, _TRACE = 0.4, 0.02
"""Share of a box's area that a window must show for an object; for something to be ignored."""
_MIRRORED = (1, 0, 2, 4, 3)
"""Face landmarks after left and right are exchanged."""


class DetectionPictures:
    """Random windows as samples: `image` uint8 `(height, width, 3)`, `boxes` float32 `(most, 4)` in its pixels,
    `kinds` int64 `(most,)`, and where objects have landmarks `landmarks` float32 `(most, L, 2)`.

    Args:
        source: pictures with boxes.
        input_format: the samples' size.
        long_side: length in pixels of a picture's longer side where the detector will be used.
        scale: smallest and largest size of a picture in a sample, relative to `long_side`; chosen log-uniformly.
        mosaic: share of samples made of four windows (Bochkovskiy et al., "YOLOv4", 2020).
        smallest: objects whose shorter side has fewer pixels in the sample are ignored.
        most: most objects and ignored regions of a sample; the largest are kept.
        border: grey level around a picture, as the detector will pad it.
        augmentation: of the finished sample; must leave everything where it is.
    """

    def __init__(
        self,
        source: BoxedSource,
        input_format: InputFormat,
        long_side: int = 640,
        scale: tuple[float, float] = (0.4, 2.0),
        mosaic: float = 0.5,
        smallest: float = 5.0,
        most: int = 192,
        border: int = 0,
        augmentation: Sequence[Augmentation] = (),
    ) -> None:
        self.source = source
        self.size = (input_format.width, input_format.height)
        self.long_side, self.scale, self.mosaic = long_side, scale, mosaic
        self.smallest, self.most, self.border = smallest, most, border
        self.augmentation = list(augmentation)
        self.labels = source.labels
        self.forbidden = source.forbidden

    def __len__(self) -> int:
        return len(self.source)

    def name(self, index: int) -> str:
        """The picture's name."""
        return self.source.name(index)

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """One sample; `skipped` is the index of a picture that could not be decoded, -1 otherwise.

        Raises:
            BadInputError: `data_corrupt`: none of ten pictures in a row can be decoded.
        """
        width, height = self.size
        canvas = np.zeros((height, width, 3), np.uint8)
        windows = [(0, 0, width, height)]
        numbers = [index]
        if random.random() < self.mosaic:
            x, y = round(width * random.uniform(0.3, 0.7)), round(height * random.uniform(0.3, 0.7))
            windows = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
            numbers += random.integers(0, len(self), 3).tolist()
        parts, skipped = [], -1
        for number, (left, top, right, bottom) in zip(numbers, windows, strict=True):
            image, used = self._readable(number)
            skipped = number if used != number and skipped < 0 else skipped
            patch, objects = self._window(image, self.source.objects(used), (right - left, bottom - top), random)
            canvas[top:bottom, left:right] = patch
            parts.append(_moved(objects, np.array([left, top], np.float32)))
        for change in self.augmentation:
            canvas = change(canvas, random)
        together = Boxes(
            *(np.concatenate([getattr(part, name) for part in parts]) for name in ("boxes", "ignored", "landmarks"))
        )
        return {"image": canvas, **self._rows(together), "index": index, "skipped": skipped}

    def _readable(self, index: int) -> tuple[Image, int]:
        for number in range(index, index + 10):
            try:
                return self.source.picture(number % len(self)), number % len(self)
            except BadInputError:
                continue
        raise BadInputError(
            f"{self.name(index)}: neither it nor the nine pictures after it can be decoded; mend the set",
            code="data_corrupt",
        )

    def _window(
        self, image: Image, objects: Boxes, size: tuple[int, int], random: np.random.Generator
    ) -> tuple[Image, Boxes]:
        """A piece of the picture at a random size and place, grey where the picture ends, perhaps mirrored."""
        height, width = image.shape[:2]
        low, high = np.log(self.scale)
        scale = self.long_side / max(height, width) * float(np.exp(random.uniform(low, high)))
        window = np.array(size, np.float32) / scale
        corner = self._corner(objects, window, np.array([width, height], np.float32), random)
        patch = _cut(image, corner, scale, size, self.border)
        visible = _clipped(objects, corner, window, scale, self.smallest)
        if random.random() < 0.5:
            return np.ascontiguousarray(patch[:, ::-1]), _mirrored(visible, size[0])
        return patch, visible

    def _corner(self, objects: Boxes, window: Float32, size: Float32, random: np.random.Generator) -> Float32:
        """Top left corner of the window in the picture: an object is in it, or it lies anywhere; where the picture is
        larger than the window it stays inside."""
        wanted = np.flatnonzero(~objects.ignored)
        if len(wanted) and random.random() < _ON_OBJECT:
            box = objects.boxes[int(random.choice(wanted))]
            corner = (box[:2] + box[2:]) / 2 - window * random.uniform(0.1, 0.9, 2)
        else:
            corner = random.uniform(0, 1, 2) * (size - window)
        slack = size - window
        low, high = np.minimum(slack, 0), np.maximum(slack, 0)
        return np.asarray(np.clip(corner, low, high), np.float32)

    def _rows(self, objects: Boxes) -> Sample:
        """The objects as arrays of a fixed length: objects first, the largest before the others."""
        area = (objects.boxes[:, 2:] - objects.boxes[:, :2]).prod(1)
        order = np.lexsort([-area, objects.ignored])[: self.most]
        boxes = np.zeros((self.most, 4), np.float32)
        kinds = np.zeros(self.most, np.int64)
        boxes[: len(order)] = objects.boxes[order]
        kinds[: len(order)] = np.where(objects.ignored[order], IGNORED, OBJECT)
        rows: Sample = {"boxes": boxes, "kinds": kinds}
        if objects.landmarks.shape[1]:
            rows["landmarks"] = np.full((self.most, *objects.landmarks.shape[1:]), np.nan, np.float32)
            rows["landmarks"][: len(order)] = objects.landmarks[order]
        return rows


def _cut(image: Image, corner: Float32, scale: float, size: tuple[int, int], border: int) -> Image:
    """A window of the picture at (width, height) `size`; what shrinks much is averaged, so that nothing aliases."""
    height, width = image.shape[:2]
    left, top = np.maximum(np.floor(corner), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corner + np.array(size) / scale), [width, height]).astype(int)
    if right <= left or bottom <= top:
        return np.full((size[1], size[0], 3), border, np.uint8)
    piece = image[top:bottom, left:right]
    factor = np.full(2, scale)
    shift = (np.array([left, top]) - corner) * scale
    if scale < 0.5:
        wanted = [max(1, round(side * 2 * scale)) for side in piece.shape[1::-1]]
        factor = scale * np.array(piece.shape[1::-1]) / wanted
        piece = np.asarray(cv2.resize(piece, wanted, interpolation=cv2.INTER_AREA), np.uint8)
    # Half a pixel, because the first pixel's middle is at 0 here and boxes count from its edge.
    matrix = np.column_stack([np.diag(factor), shift + 0.5 * (factor - 1)])
    filled = cv2.warpAffine(piece, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(border,) * 3)
    return np.asarray(filled, np.uint8)


def _clipped(objects: Boxes, corner: Float32, window: Float32, scale: float, smallest: float) -> Boxes:
    """The objects as the window shows them, in its pixels; those that it hardly shows are ignored or left out."""
    boxes = (objects.boxes - np.tile(corner, 2)) * np.float32(scale)
    edge = window * scale
    inside = np.clip(boxes, 0, np.tile(edge, 2))
    whole, seen = ((value[:, 2:] - value[:, :2]).clip(min=0) for value in (boxes, inside))
    share = seen.prod(1) / np.maximum(whole.prod(1), 1e-6)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    is_object = ((centre > 0) & (centre < edge)).all(1) & (share >= _VISIBLE) & (seen.min(1) >= smallest)
    kept = (share >= _TRACE) & (seen > 0).all(1)
    marks = (objects.landmarks - corner) * np.float32(scale)
    marks[((marks < 0) | (marks > edge)).any((1, 2))] = np.nan
    return Boxes(inside[kept].astype(np.float32), (objects.ignored | ~is_object)[kept], marks[kept].astype(np.float32))


def _mirrored(objects: Boxes, width: int) -> Boxes:
    boxes = objects.boxes.copy()
    boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
    marks = objects.landmarks.copy()
    if marks.shape[1]:
        marks[..., 0] = width - marks[..., 0]
        marks = marks[:, _MIRRORED]
    return Boxes(boxes, objects.ignored, marks)


def _moved(objects: Boxes, by: Float32) -> Boxes:
    return Boxes(objects.boxes + np.tile(by, 2), objects.ignored, objects.landmarks + by)
