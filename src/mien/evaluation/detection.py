"""Face detection measured as WIDER FACE does it.

Yang et al., "WIDER FACE: A Face Detection Benchmark", CVPR 2016, and its evaluation code: scores stretched to [0, 1]
over the whole set, IoU 0.5 with boxes that include their last pixel (the +1 convention), boxes that do not count at a
level ignored, precision and recall at 1,000 thresholds, average precision as the area under the envelope (VOC 2010).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.evaluation.extraction import in_batches, read_pictures

if TYPE_CHECKING:
    from mien.face.detector import FaceDetector

LEVELS = ("easy", "medium", "hard")
THRESHOLDS = 1000
OVERLAP = 0.5
PICTURES_AT_ONCE = 8

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """The boxes that should be found.

    Attributes:
        pictures: file names relative to the folder of pictures, `P` of them.
        boxes: float64 `(K, 4)` `xyxy` for each picture.
        counted: for each level, a bool `(K,)` for each picture: the boxes that count there; others are ignored.
    """

    pictures: tuple[str, ...]
    boxes: tuple[Array, ...]
    counted: dict[str, tuple[Array, ...]]


def read_truth(file: Path) -> Truth:
    """The truth in a JSON file: picture name -> `boxes_xywh` and the 0-based indices that count per level.

    Raises:
        BadInputError: `truth_missing` or `truth_invalid`.
    """
    try:
        content = json.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        raise BadInputError(f"the truth file {file} cannot be read: {error.strerror}", code="truth_missing") from error
    except ValueError as error:
        raise BadInputError(f"the truth file {file} is not JSON: {error}", code="truth_invalid") from error
    boxes: list[Array] = []
    counted: dict[str, list[Array]] = {level: [] for level in LEVELS}
    name: str | None = None
    try:
        for name in content:
            entry = content[name]
            found = np.array(entry["boxes_xywh"], np.float64).reshape(-1, 4)
            boxes.append(np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], 1))
            for level in LEVELS:
                mask = np.zeros(len(found), bool)
                mask[np.array(entry[level], np.intp)] = True
                counted[level].append(mask)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise BadInputError(
            f"the truth file {file}, picture {name!r}: {error!r}; expected an object of pictures, each with "
            f"'boxes_xywh' (a list of [x, y, width, height]) and the indices of boxes that count: {', '.join(LEVELS)}",
            code="truth_invalid",
        ) from error
    return Truth(tuple(content), tuple(boxes), {level: tuple(masks) for level, masks in counted.items()})


def average_precision(detections: Sequence[tuple[Array, Array]], truth: Truth) -> dict[str, float | None]:
    """Average precision at the three levels.

    Args:
        detections: for each picture of the truth boxes `(N, 4)` `xyxy` and scores `(N,)`, in any order.
        truth: what should be found.

    Returns:
        `{"easy", "medium", "hard"}`, each in [0, 1], or None where no box counts at that level.
    """
    everything = np.concatenate([scores for _, scores in detections]) if detections else np.zeros(0)
    low, high = (float(everything.min()), float(everything.max())) if everything.size else (0.0, 1.0)
    span = high - low or 1.0
    hits: dict[str, list[Array]] = {level: [] for level in LEVELS}
    candidates: dict[str, list[Array]] = {level: [] for level in LEVELS}
    for number, (boxes, scores) in enumerate(detections):
        # The official code skips a picture without boxes: what is found there is no false alarm.
        if len(boxes) == 0 or len(truth.boxes[number]) == 0:
            continue
        order = np.argsort(-scores, kind="stable")
        stretched = (np.asarray(scores, np.float64)[order] - low) / span if high > low else np.ones(len(order))
        best, first = _match(np.asarray(boxes, np.float64)[order], truth.boxes[number])
        for level in LEVELS:
            counts = truth.counted[level][number]
            ignored = (best >= 0) & ~counts[best]
            candidates[level].append(stretched[~ignored])
            hits[level].append(stretched[first & ~ignored])
    return {
        level: _area(hits[level], candidates[level], sum(int(mask.sum()) for mask in truth.counted[level]))
        for level in LEVELS
    }


def _match(found: Array, expected: Array) -> tuple[Array, Array]:
    """For boxes `(N, 4)`, best first: the truth box that each one is nearest to (-1: overlap below 0.5), and whether
    it is the first to claim that box. A second claim on a counted box is a false alarm, as in the official code."""
    overlap = _inclusive_overlap(found, expected)
    best = overlap.argmax(1)
    best[overlap.max(1) < OVERLAP] = -1
    first = np.zeros(len(found), bool)
    first[np.unique(best, return_index=True)[1]] = True
    return best, first & (best >= 0)


def _inclusive_overlap(first: Array, second: Array) -> Array:
    """IoU `(N, M)` of boxes whose right and bottom pixel belongs to them."""
    size = np.minimum(first[:, None, 2:], second[None, :, 2:]) - np.maximum(first[:, None, :2], second[None, :, :2]) + 1
    shared = np.where((size > 0).all(2), size.prod(2), 0)
    area, other_area = ((boxes[:, 2:] - boxes[:, :2] + 1).prod(1) for boxes in (first, second))
    return shared / (area[:, None] + other_area[None] - shared)


def _area(hits: list[Array], candidates: list[Array], faces: int) -> float | None:
    """Area under the precision envelope over recall, from the stretched scores of hits and of all that count."""
    if not faces:
        return None
    steps = 1 - np.arange(1, THRESHOLDS + 1) / THRESHOLDS
    hit, proposed = (
        np.searchsorted(np.sort(-np.concatenate(scores)) if scores else np.zeros(0), -steps, side="right")
        for scores in (hits, candidates)
    )
    precision = hit / np.maximum(proposed, 1)
    recall = np.concatenate([[0.0], hit / faces, [1.0]])
    envelope = np.maximum.accumulate(np.concatenate([[0.0], precision, [0.0]])[::-1])[::-1]
    return float((np.diff(recall) * envelope[1:]).sum())


def evaluate(
    detector: FaceDetector, images: Path, truth_file: Path, *, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Run a detector over a folder and measure it: the JSON of `mien evaluate detection`.

    Args:
        detector: the detector, with the size of its input already chosen.
        images: folder with the pictures that the truth names.
        truth_file: see `read_truth`.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: the truth cannot be read, or a picture that it names is not in the folder.
    """
    truth = read_truth(truth_file)
    paths = [Path(images) / name for name in truth.pictures]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise BadInputError(
            f"{len(missing)} of the {len(paths)} pictures that {truth_file} names are not there, first {missing[0]}; "
            "give the folder that its names are relative to",
            code="picture_missing",
        )
    detections: list[tuple[Array, Array]] = []
    seconds = 0.0
    for batch in in_batches(paths, PICTURES_AT_ONCE):
        pictures = read_pictures(batch)
        start = time.perf_counter()
        found = detector.batch(pictures)
        seconds += time.perf_counter() - start
        detections += [
            (np.array([face.box for face in faces]).reshape(-1, 4), np.array([face.score for face in faces]))
            for faces in found
        ]
        if progress is not None:
            progress(len(detections), len(paths))
    precision = average_precision(detections, truth)
    return {
        "ap": {level: None if value is None else round(value, 6) for level, value in precision.items()},
        "images": len(paths),
        "faces": sum(len(boxes) for boxes in truth.boxes),
        "milliseconds_per_image": round(1000 * seconds / max(len(paths), 1), 3),
    }
