"""Finds faces and their five landmarks with YuNet, at one size for the picture and a small one for frame-filling faces.

Wu, Peng, Yu: "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 20, 2023. The network is
made for faces of about 10 to 300 pixels, so a face that fills a large picture is looked for in a reduced copy.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from mien.errors import UsageError
from mien.geometry import iou_matrix, suppress
from mien.models.catalogue import default, model
from mien.models.runtime import Outputs, Session
from mien.records import Face, Float32, Image
from mien.settings import settings

NATIVE_CAP = 1600
"""Longest side in pixels that is looked at when no `long_side` is asked for."""

_STRIDES = (8, 16, 32)
_SMALL_SIDE = 256
_LARGE_FACE = 160.0
"""Side in pixels of the main copy from which the small copy's faces count."""
_HINT_SIDE, _HINT_SCORE = 128.0, 0.1
"""Side in pixels of the main copy, and score, of a row that makes the small copy worth a look. A face that the main
copy is too large for still leaves such a row: 0.2 at least in 268 close-ups from LFW that only the small copy found."""
_SURE_SIDE, _SURE_SCORE = 240.0, 0.8
"""A face of the main copy below this side and above this score needs no second look."""
_OVERLAP = 0.45
"""IoU above which two rows are one face."""
_VOTE = 0.6
"""IoU from which a row has a say in where that face is."""


class FaceDetector:
    """Face detection on RGB pictures of any size.

    Args:
        name: a model of the catalogue; None takes the pack's.
        long_side: pictures are reduced to this longest side in pixels; None keeps their own up to 1600.
        score: least confidence of a face, in [0, 1].
        session: a session to share; None opens one.

    Raises:
        UsageError: `model_wrong_task`.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        long_side: int | None = None,
        score: float = 0.6,
        session: Session | None = None,
    ) -> None:
        entry = model(name) if name else default("face-detection", settings().pack)
        if entry.task != "face-detection" or entry.outputs != "yunet":
            raise UsageError(
                f"{entry.name} is for {entry.task}, not a face detector that mien can read; `mien models list` shows "
                "those.",
                code="model_wrong_task",
            )
        self.name = entry.name
        self.long_side = long_side
        self.score = score
        self._multiple = entry.input.multiple
        self._session = session or Session(entry)

    def __call__(self, image: Image) -> list[Face]:
        """Faces of one RGB uint8 picture `(H, W, 3)`, best first; landmarks and boxes in its pixels."""
        return self.batch([image])[0]

    def batch(self, images: Sequence[Image]) -> list[list[Face]]:
        """Faces of several pictures; pictures of one size run as one batch, others are in flight together."""
        scales = [self._main_scale(image) for image in images]
        found = self._rows(images, scales, min(self.score, _HINT_SCORE))
        hinted = [
            index
            for index, (image, scale, rows) in enumerate(zip(images, scales, found, strict=True))
            if scale * max(image.shape[:2]) > 1.25 * _SMALL_SIDE and _asks_for_small_copy(rows, scale)
        ]
        found = [rows[rows[:, 14] >= self.score] for rows in found]
        small = [_SMALL_SIDE / max(images[index].shape[:2]) for index in hinted]
        for index, rows in zip(hinted, self._rows([images[index] for index in hinted], small, self.score), strict=True):
            # Below this the main copy sees better; both would only compete.
            large = rows[_sides(rows) * scales[index] >= _LARGE_FACE]
            found[index] = np.concatenate([found[index], large])
        return [_faces(rows) for rows in found]

    def _rows(self, images: Sequence[Image], scales: Sequence[float], least: float) -> list[Float32]:
        """What the network sees in each picture, reduced by its scale: rows as of `decode`, in the picture's pixels."""
        copies = [self._reduced(image, scale) for image, scale in zip(images, scales, strict=True)]
        groups: dict[tuple[int, ...], list[int]] = {}
        for index, copy in enumerate(copies):
            groups.setdefault(copy.shape, []).append(index)
        stacks = [np.stack([copies[index] for index in group]) for group in groups.values()]
        found: list[Float32] = [np.empty((0, 15), np.float32)] * len(images)
        for group, stack, output in zip(groups.values(), stacks, self._session.many(stacks), strict=True):
            for place, index in enumerate(group):
                rows = decode(output, place, stack.shape[2], least)
                rows[:, :14] /= scales[index]
                found[index] = rows
        return found

    def _main_scale(self, image: Image) -> float:
        return min(1.0, (self.long_side or NATIVE_CAP) / max(image.shape[:2]))

    def _reduced(self, image: Image, scale: float) -> Image:
        """The picture reduced, and padded to what the network takes."""
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        if scale < 1:
            filtering = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
            image = cv2.resize(image, (width, height), interpolation=filtering).astype(np.uint8, copy=False)
        down, right = -height % self._multiple, -width % self._multiple
        if down or right:
            padded = np.zeros((height + down, width + right, 3), np.uint8)
            padded[:height, :width] = image
            return padded
        return image


def decode(outputs: Outputs, row: int, width: int, least: float) -> Float32:
    """YuNet's outputs for one picture of a batch as rows.

    Args:
        outputs: for S in 8, 16, 32 `cls_S` and `obj_S` `(B, N, 1)`, `bbox_S` `(B, N, 4)`, `kps_S` `(B, N, 10)`.
        row: which picture of the batch.
        width: width in pixels of the network's input.
        least: rows with a smaller score are left out.

    Returns:
        float32 `(M, 15)`: box xyxy, five landmarks, score; in pixels of the network's input.
    """
    parts = [np.empty((0, 15), np.float32)]
    for stride in _STRIDES:
        quality = outputs[f"cls_{stride}"][row, :, 0] * outputs[f"obj_{stride}"][row, :, 0]
        (cells,) = np.nonzero(quality >= least * least)
        if not len(cells):
            continue
        box, points = outputs[f"bbox_{stride}"][row, cells], outputs[f"kps_{stride}"][row, cells]
        cell_y, cell_x = np.divmod(cells, width // stride)
        cell = np.stack([cell_x, cell_y], 1).astype(np.float32)
        centre = (cell + box[:, :2]) * stride
        half = np.exp(np.minimum(box[:, 2:], 8)) * (stride / 2)
        marks = (points.reshape(-1, 5, 2) + cell[:, None]) * stride
        scores = np.sqrt(np.clip(quality[cells], 0, 1))
        rows = [centre - half, centre + half, marks.reshape(-1, 10), scores[:, None]]
        parts.append(np.concatenate(rows, axis=1).astype(np.float32, copy=False))
    return np.concatenate(parts)


def _sides(rows: Float32) -> Float32:
    return np.maximum(rows[:, 2] - rows[:, 0], rows[:, 3] - rows[:, 1])


def _asks_for_small_copy(rows: Float32, scale: float) -> bool:
    """Whether the rows of the main copy, `(M, 15)` in the picture's pixels, leave a doubt about a large face."""
    sides = _sides(rows) * scale
    large = rows[sides >= _HINT_SIDE]
    best = large[suppress(large[:, :4], large[:, 14], _OVERLAP)]
    return bool(((best[:, 14] < _SURE_SCORE) | (_sides(best) * scale >= _SURE_SIDE)).any())


def _faces(rows: Float32) -> list[Face]:
    """One face for each heap of rows: where they overlap strongly, their mean weighted by score and overlap.

    Gidaris, Komodakis: "Object Detection via a Multi-region and Semantic Segmentation-aware CNN Model", ICCV 2015,
    call it box voting. Against taking the best row alone it gained on all three levels of the WIDER FACE validation
    set (easy and medium +.001 to +.002, hard +.003, at 640 pixels and at own size); few rows pass the usual score.
    """
    kept = suppress(rows[:, :4], rows[:, 14], _OVERLAP)
    if not len(kept):
        return []
    overlap = iou_matrix(rows[kept, :4], rows[:, :4])
    weights = np.where(overlap >= _VOTE, overlap * rows[:, 14], 0)
    means = (weights @ rows[:, :14] / weights.sum(1, keepdims=True)).astype(np.float32)
    return [
        Face(box=mean[:4], score=float(rows[index, 14]), landmarks=mean[4:].reshape(5, 2))
        for mean, index in zip(means, kept, strict=True)
    ]
