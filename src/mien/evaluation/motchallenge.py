"""Text files of tracks in the form of the MOTChallenge: read, written, and compared box by box.

One row is one box: `frame,id,left,top,width,height,confidence,...`. Ground truth of MOT16, MOT17 and MOT20 has nine
columns, the eighth being the class and the ninth the visibility; that of MOT15 and all results have ten, of which the
last three say nothing about a 2D box (Milan et al., "MOT16: A benchmark for multi-object tracking", 2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.geometry import iou_matrix
from mien.tracking.assignment import Indices, match

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

OVERLAP = 0.5 - np.finfo(np.float64).eps
"""Least IoU at which two boxes can be the same object."""

CLASSES_COLUMNS = 9
PEDESTRIAN = 1
DISTRACTORS = (2, 7, 8, 12)
"""Person on a vehicle, static person, distractor, reflection: finding one is neither right nor wrong."""


class Moment(NamedTuple):
    """One frame: truth `(N,)` and results `(M,)` as 0-based track numbers, and their IoU, float64 `(N, M)`."""

    truth: Indices
    results: Indices
    overlap: Float64


class Overlaps(NamedTuple):
    """One sequence: its frames that hold anything, in order, and how many tracks the truth and the results have."""

    moments: list[Moment]
    truth_tracks: int
    result_tracks: int


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """The boxes of one sequence, ascending by frame.

    Attributes:
        frames: int64 `(N,)`, as in the file.
        ids: int64 `(N,)`, once a frame at most.
        boxes: `xyxy` float64 `(N, 4)` in pixels.
        evaluated: bool `(N,)`: counts.
        ignored: bool `(N,)`, in ground truth: a result that matches it counts neither for nor against the tracker.
    """

    frames: Int64
    ids: Int64
    boxes: Float64
    evaluated: NDArray[np.bool_]
    ignored: NDArray[np.bool_]


def read_results(path: Path | str) -> Boxes:
    """All boxes of a tracker's file.

    Raises:
        BadInputError: there is no such file, or a row is not in the MOTChallenge's form; the message names the line.
    """
    rows = _read(Path(path))
    return _boxes(rows, np.ones(len(rows), np.bool_), np.zeros(len(rows), np.bool_), path)


def read_truth(path: Path | str) -> Boxes:
    """The boxes of a ground-truth file.

    Rows of confidence 0 are not evaluated. Where the file has classes (nine columns), only pedestrians are evaluated
    and DISTRACTORS are ignored.

    Raises:
        BadInputError: there is no such file, or a row is not in the MOTChallenge's form; the message names the line.
    """
    rows = _read(Path(path))
    evaluated = rows[:, 6] != 0 if rows.shape[1] > 6 else np.ones(len(rows), np.bool_)
    ignored = np.zeros(len(rows), np.bool_)
    if rows.shape[1] == CLASSES_COLUMNS:
        evaluated &= rows[:, 7] == PEDESTRIAN
        ignored = np.isin(rows[:, 7], DISTRACTORS)
    return _boxes(rows, evaluated, ignored, path)


def overlaps(truth: Boxes, results: Boxes) -> Overlaps:
    """The IoU of truth and results, frame by frame; results that match an ignored box of the truth are left out."""
    truth_tracks, truth_index = np.unique(truth.ids[truth.evaluated], return_inverse=True)
    truth_numbers = np.full(len(truth.ids), -1)
    truth_numbers[truth.evaluated] = truth_index
    kept: list[tuple[Indices, Int64, Float64]] = []
    for frame in np.union1d(truth.frames, results.frames):
        there = slice(*np.searchsorted(truth.frames, [frame, frame + 1]))
        found = slice(*np.searchsorted(results.frames, [frame, frame + 1]))
        overlap = iou_matrix(truth.boxes[there], results.boxes[found])
        ids, evaluated, ignored = results.ids[found], truth.evaluated[there], truth.ignored[there]
        if ignored.any():
            rows, columns = match(np.where(overlap >= OVERLAP, overlap, 0), 0)
            excused = columns[ignored[rows]]
            ids, overlap = np.delete(ids, excused), np.delete(overlap, excused, axis=1)
        kept.append((truth_numbers[there][evaluated], ids, overlap[evaluated]))
    result_tracks = np.unique(np.concatenate([np.empty(0, np.int64), *(ids for _, ids, _ in kept)]))
    moments = [Moment(rows, np.searchsorted(result_tracks, ids), overlap) for rows, ids, overlap in kept]
    return Overlaps(moments, len(truth_tracks), len(result_tracks))


def write_results(
    path: Path | str, frames: NDArray[Any], ids: NDArray[Any], boxes: NDArray[Any], scores: NDArray[Any]
) -> None:
    """Writes tracks as a MOTChallenge result file of ten columns.

    Args:
        path: the file, replaced where there is one.
        frames: `(N,)` whole numbers from 1.
        ids: `(N,)` whole numbers; rows below 1 (no track) are left out.
        boxes: `xyxy` `(N, 4)` in pixels, written to two places.
        scores: `(N,)`.
    """
    lines = []
    for frame, track, box, score in zip(frames, ids, np.asarray(boxes, np.float64), scores, strict=True):
        if track >= 1:
            left, top, right, bottom = box.tolist()
            place = f"{left:.2f},{top:.2f},{right - left:.2f},{bottom - top:.2f}"
            lines.append(f"{int(frame)},{int(track)},{place},{float(score):.4f},-1,-1,-1\n")
    Path(path).write_text("".join(lines), encoding="ascii")


def _read(path: Path) -> Float64:
    """The numbers of a file, `(N, columns)`; no rows give `(0, 10)`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise BadInputError(
            f"there is no track file {str(path)!r}; check the path", code="track_file_missing"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(
            f"{str(path)!r} cannot be read as a MOTChallenge text file: {error}", code="track_file_invalid"
        ) from error
    rows: list[list[float]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = [float(field) for field in line.replace(",", " ").split()]
        except ValueError:
            row = []
        wrong_length = len(row) < 6 or (rows and len(row) != len(rows[0]))
        if wrong_length or not np.isfinite(row).all() or row[0] % 1 or row[1] % 1 or row[4] < 0 or row[5] < 0:
            raise BadInputError(
                f"{str(path)!r}, line {number}: {line.strip()[:80]!r} is not a MOTChallenge row; expected "
                "frame,id,left,top,width,height,confidence,... with as many columns as the lines before",
                code="track_file_invalid",
            )
        rows.append(row)
    return np.array(rows, np.float64) if rows else np.empty((0, 10))


def _boxes(rows: Float64, evaluated: NDArray[np.bool_], ignored: NDArray[np.bool_], path: Path | str) -> Boxes:
    """Rows `(N, columns)` sorted by frame, the order within a frame kept."""
    order = rows[:, 0].argsort(kind="stable")
    rows, evaluated, ignored = rows[order], evaluated[order], ignored[order]
    frames, ids = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    keys, counts = np.unique(np.stack([frames, ids], axis=1)[evaluated], axis=0, return_counts=True)
    if (counts > 1).any():
        frame, track = keys[counts > 1][0].tolist()
        raise BadInputError(
            f"{str(path)!r}: id {track} is more than once in frame {frame}; an id may be there once a frame",
            code="track_file_invalid",
        )
    boxes = rows[:, 2:6].copy()
    boxes[:, 2:] += boxes[:, :2]
    return Boxes(frames, ids, boxes, evaluated, ignored)
