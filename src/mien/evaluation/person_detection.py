"""Person detection in a video with boxes in the MOTChallenge's form: average precision at IoU 0.5.

The rule of PASCAL VOC since 2010 (Everingham et al., "The PASCAL Visual Object Classes Challenge: A Retrospective",
IJCV 2015): over all frames, best score first, each detection claims the free true box that it overlaps most; average
precision is the area under the envelope of precision over recall. Boxes that do not count (confidence 0 and
distractors) excuse the detections on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.evaluation.motchallenge import Boxes, read_truth
from mien.geometry import iou_matrix
from mien.media.video import open_video
from mien.records import Frame, Person

if TYPE_CHECKING:
    from mien.person.detector import PersonDetector

OVERLAP = 0.5
SCORE = 0.02
"""Average precision integrates over all scores, so nearly all detections are asked for."""
_FRAMES_AT_ONCE = 8

Array = NDArray[Any]


def average_precision(found: Sequence[tuple[Array, Array]], truth: Sequence[tuple[Array, Array]]) -> float | None:
    """Average precision at IoU 0.5 over the frames of a video.

    Args:
        found: for each frame boxes `(N, 4)` `xyxy` and scores `(N,)`, in any order.
        truth: for each frame boxes `(K, 4)` and bool `(K,)`: those that count; a detection on another is ignored.

    Returns:
        In [0, 1]; None where no box counts.

    Example:
        >>> box = np.array([[0.0, 0, 10, 20]])
        >>> average_precision([(box, np.array([0.9])), (box + 50, np.array([0.8]))], 2 * [(box, np.array([True]))])
        0.5
    """
    scores, right, wrong = [], [], []
    for (boxes, confidence), (expected, counted) in zip(found, truth, strict=True):
        order = np.argsort(-confidence, kind="stable")
        hit, excused = _claims(boxes[order], expected, counted)
        scores.append(confidence[order])
        right.append(hit)
        wrong.append(~hit & ~excused)
    people = sum(int(counted.sum()) for _, counted in truth)
    if not people:
        return None
    order = np.argsort(-np.concatenate(scores), kind="stable")
    hits, misses = np.cumsum(np.concatenate(right)[order]), np.cumsum(np.concatenate(wrong)[order])
    recall = np.concatenate([[0.0], hits / people])
    precision = np.maximum.accumulate((hits / np.maximum(hits + misses, 1))[::-1])[::-1]
    return float((np.diff(recall) * precision).sum())


def _claims(boxes: Array, expected: Array, counted: Array) -> tuple[Array, Array]:
    """For boxes `(N, 4)`, best first: which claim a true box that counts, and which lie on one that does not."""
    hit, excused = np.zeros(len(boxes), bool), np.zeros(len(boxes), bool)
    overlap = iou_matrix(boxes, expected)
    free = counted.copy()
    for row, overlaps in enumerate(overlap):
        candidates = np.where(free, overlaps, 0)
        best = int(candidates.argmax()) if len(candidates) else 0
        if len(candidates) and candidates[best] >= OVERLAP:
            hit[row], free[best] = True, False
        else:
            excused[row] = bool((overlaps[~counted] >= OVERLAP).any())
    return hit, excused


def evaluate(
    detector: PersonDetector, video: Path, truth_file: Path, *, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Run a detector over a video and measure it: the JSON of `mien evaluate detection --video`.

    Args:
        detector: with a score of about `SCORE`.
        video: a file.
        truth_file: its boxes in the MOTChallenge's form, frames counted from 1.
        progress: called with frames done and frames of the truth.

    Raises:
        BadInputError: one of the files cannot be read, or the truth names frames beyond the video's end.
    """
    boxes = read_truth(truth_file)
    last = int(boxes.frames.max(initial=0))
    found: list[tuple[Array, Array]] = []
    seconds = 0.0
    with open_video(video) as stream:
        for frames in _runs(stream, _FRAMES_AT_ONCE):
            start = time.perf_counter()
            people = detector.batch([frame.image for frame in frames])
            seconds += time.perf_counter() - start
            found += [_arrays(persons) for persons in people]
            if progress is not None:
                progress(len(found), last)
    if last > len(found):
        raise BadInputError(
            f"{truth_file} has boxes of frame {last}, but {video} ends after {len(found)}; give this video's truth",
            code="truth_mismatch",
        )
    truth = [_of_frame(boxes, number) for number in range(1, len(found) + 1)]
    precision = average_precision(found, truth)
    return {
        "ap50": None if precision is None else round(precision, 6),
        "frames": len(found),
        "people": int(boxes.evaluated.sum()),
        "milliseconds_per_image": round(1000 * seconds / max(len(found), 1), 3),
        "model": detector.name,
    }


def _runs(stream: Iterator[Frame], size: int) -> Iterator[list[Frame]]:
    while run := list(islice(stream, size)):
        yield run


def _arrays(people: Sequence[Person]) -> tuple[Array, Array]:
    return (
        np.array([person.box for person in people], np.float64).reshape(-1, 4),
        np.array([person.score for person in people], np.float64),
    )


def _of_frame(boxes: Boxes, number: int) -> tuple[Array, Array]:
    there = slice(*np.searchsorted(boxes.frames, [number, number + 1]))
    return boxes.boxes[there], boxes.evaluated[there]
