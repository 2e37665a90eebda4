"""Follows boxes from frame to frame: which detection is the same one as before.

Association as in Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", ECCV 2022: tracks
are moved on by a Kalman filter and paired with the confident detections by overlap, then tracks that are left with the
weak detections. What is still left is tried once more with enlarged boxes, as in Yang et al., "Hard to Track Objects
with Irregular Motions and Similar Appearances? Make It Easier by Buffering the Matching Space", WACV 2023: small faces
at few frames a second do not overlap with where they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.geometry import iou_matrix
from mien.tracking import kalman
from mien.tracking.assignment import Indices, match

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

ID, SEEN, UNSEEN, KEPT = range(4)
"""Columns of a track's counts: id or UNNAMED, frames with it, frames since without it, how many of those it gets."""
UNNAMED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """What one frame did to the tracks.

    Attributes:
        track_ids: int64 `(N,)`, the track of each detection, -1 where it belongs to no confirmed track.
        ended: tracks that were given up at this frame, ascending; they never come back.
    """

    track_ids: Int64
    ended: tuple[int, ...]


class Tracker:
    """Follows the boxes of one stream.

    Feed every frame, also those without detections; frames that were not looked at are told by `steps`. The same
    detections give the same track ids.

    Args:
        frame_rate: frames a second, > 0; scales the lost-track buffer.
        high: score in [0, 1] from which a detection is confident: it is paired first.
        low: score in [0, high] from which a detection can continue a track, though never begin one.
        new: score in [high, 1] from which a confident detection that is left over begins a track.
        overlap: IoU in [0, 1) above which a track and a confident detection can be paired.
        weak_overlap: the same for detections between `low` and `high`.
        enlarge: share of its size >= 0 by which each side of a box is moved out for the last try; 0 does without.
        confirm: number >= 1 of frames in a row in which a track must have been seen to get an id; what is there in
            the first frame of all gets one at once, as in ByteTrack's own code.
        lost_seconds: how long >= 0 a confirmed track that is not seen is kept.
        ids: where track ids > 0 come from; trackers of one stream share one. None counts from 1.

    Attributes:
        high: as given.

    Raises:
        UsageError: an argument is out of its range.

    Example:
        >>> tracker = Tracker(confirm=1)
        >>> walk = [np.array([[x, 0, x + 10, 20]], np.float32) for x in (0, 4, 8)]
        >>> [tracker.update(boxes, np.array([0.9])).track_ids.tolist() for boxes in walk]
        [[1], [1], [1]]
        >>> tracker.finish()
        (1,)
    """

    def __init__(
        self,
        *,
        frame_rate: float = 25.0,
        high: float = 0.6,
        low: float = 0.1,
        new: float = 0.7,
        overlap: float = 0.1,
        weak_overlap: float = 0.5,
        enlarge: float = 0.3,
        confirm: int = 2,
        lost_seconds: float = 1.0,
        ids: Iterator[int] | None = None,
    ) -> None:
        limits = [
            ("frame_rate", frame_rate, 0 < frame_rate < float("inf"), "a number above 0"),
            ("high", high, 0 <= high <= 1, "in [0, 1]"),
            ("low", low, 0 <= low <= high, f"in [0, high = {high}]"),
            ("new", new, high <= new <= 1, f"in [high = {high}, 1]"),
            ("overlap", overlap, 0 <= overlap < 1, "in [0, 1)"),
            ("weak_overlap", weak_overlap, 0 <= weak_overlap < 1, "in [0, 1)"),
            ("enlarge", enlarge, 0 <= enlarge < float("inf"), ">= 0"),
            ("confirm", confirm, confirm >= 1, ">= 1"),
            ("lost_seconds", lost_seconds, 0 <= lost_seconds < float("inf"), ">= 0"),
        ]
        for name, value, fits, expected in limits:
            if not fits:
                raise UsageError(f"{name} = {value!r}; expected {expected}", code="tracker_argument_invalid")
        self.high, self._low, self._new = high, low, new
        self._overlap, self._weak_overlap, self._enlarge = overlap, weak_overlap, enlarge
        self._confirm = confirm
        self._lost_frames = round(lost_seconds * frame_rate)
        self._ids, self._first = ids or count(1), True
        self._state, self._counts = np.empty((5, 0, 4)), np.empty((0, 4), np.int64)

    def update(
        self,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        *,
        steps: int = 1,
        motion: Float64 | None = None,
    ) -> Update:
        """Takes the detections of the next frame.

        Args:
            boxes: `xyxy` float32 `(N, 4)` in pixels, finite; N = 0 where nothing was found.
            scores: float32 `(N,)` in [0, 1].
            steps: how many frames >= 1 this one lies after the last; more than 1 where some were not looked at.
            motion: takes points of the scene from the last frame to this one, `(2, 3)` as of `CameraMotion`, where the
                camera has moved or the picture has another size; None where neither.

        Raises:
            UsageError: shapes that do not fit, numbers that are not finite, or `steps` below 1.
        """
        found, sure = np.asarray(boxes, np.float64), np.asarray(scores, np.float64)
        if found.ndim != 2 or found.shape[1] != 4 or sure.shape != found.shape[:1] or steps < 1:
            raise UsageError(
                f"boxes {found.shape}, scores {sure.shape}, steps = {steps}; expected boxes (N, 4), scores (N,) and "
                "steps >= 1",
                code="tracker_argument_invalid",
            )
        if not np.isfinite(found.sum() + sure.sum()):
            raise UsageError("boxes or scores hold NaN or infinity; expected finite numbers", code="boxes_not_finite")

        self._state = kalman.predict(self._state, steps)
        if motion is not None:
            self._state = kalman.move(self._state, motion)
        self._counts[:, UNSEEN] += steps
        ended = self._keep(self._counts[:, UNSEEN] <= self._lost_frames + 1) if steps > 1 else []
        rows = self._associate(found, sure, steps)
        continued = rows >= 0
        hit = rows[continued]
        self._state[:, hit] = kalman.correct(self._state[:, hit], found[continued])
        self._counts[hit, SEEN] += 1
        self._counts[hit, UNSEEN] = 0
        if len(hit) < len(rows):
            self._begin(rows, found, np.flatnonzero(~continued & (sure >= self._new)))
        self._first = False
        self._name()
        track_ids = np.full(len(rows), UNNAMED)
        track_ids[rows >= 0] = self._counts[rows[rows >= 0], ID]
        ended += self._keep(self._counts[:, UNSEEN] <= self._counts[:, KEPT])
        return Update(track_ids, tuple(ended))

    def positions(self) -> tuple[Int64, Float64]:
        """Where the confirmed tracks are believed to be, also those that were not seen in the last frame.

        Returns:
            Track ids int64 `(T,)` and boxes `xyxy` float64 `(T, 4)`.
        """
        confirmed = self._counts[:, ID] > 0
        return self._counts[confirmed, ID], kalman.boxes_of(self._state[:, confirmed])

    def finish(self) -> tuple[int, ...]:
        """Ends all tracks; returns the ids of those that had one, ascending. Ids go on counting from there."""
        ended = self._keep(np.zeros(len(self._counts), np.bool_))
        return tuple(ended)

    def _keep(self, kept: NDArray[np.bool_]) -> list[int]:
        """Drops the tracks that are not `kept` `(T,)` and returns the ids of those that had one."""
        if kept.all():
            return []
        dropped = self._counts[~kept, ID]
        self._state, self._counts = self._state[:, kept], self._counts[kept]
        return sorted(dropped[dropped > 0].tolist())

    def _associate(self, boxes: Float64, scores: Float64, steps: int) -> Indices:
        """The row of each detection's track, -1 where it continues none: `(N,)`."""
        rows = np.full(len(boxes), -1, np.intp)
        if not len(boxes) or not len(self._state):
            return rows
        predicted = kalman.boxes_of(self._state)
        similarity = iou_matrix(predicted, boxes)
        confident = scores >= self.high
        everyone = np.ones(len(predicted), np.bool_)
        _pair(rows, similarity, everyone, confident, self._overlap)
        if not confident.all():
            weak = (scores >= self._low) & ~confident
            _pair(rows, similarity, self._counts[:, UNSEEN] == steps, weak, self._weak_overlap)
        if self._enlarge and (rows[confident] < 0).any():
            wide = iou_matrix(_enlarged(predicted, self._enlarge), _enlarged(boxes, self._enlarge))
            _pair(rows, wide, everyone, confident, self._overlap)
        return rows

    def _begin(self, rows: Indices, boxes: Float64, new: Indices) -> None:
        """Begins tracks with the `new` ones of `boxes` `(N, 4)`; their `rows` are filled in."""
        rows[new] = np.arange(len(self._counts), len(self._counts) + len(new))
        begun = (UNNAMED, self._confirm if self._first else 1, 0, 0)
        self._state = np.concatenate([self._state, kalman.start(boxes[new])], axis=1)
        self._counts = np.concatenate([self._counts, np.full((len(new), 4), begun)])

    def _name(self) -> None:
        """Gives ids to the tracks that have earned one; from now on they are kept when they are lost."""
        earned = np.flatnonzero((self._counts[:, ID] == UNNAMED) & (self._counts[:, SEEN] >= self._confirm))
        if earned.size:
            self._counts[earned, ID] = list(islice(self._ids, len(earned)))
            self._counts[earned, KEPT] = self._lost_frames


def _pair(
    rows: Indices, similarity: Float64, tracks: NDArray[np.bool_], detections: NDArray[np.bool_], minimum: float
) -> None:
    """Pairs those of the given tracks and detections that are still free; `rows` and `tracks` change in place."""
    tracks[rows[rows >= 0]] = False
    here, there = np.flatnonzero(tracks), np.flatnonzero(detections & (rows < 0))
    if here.size and there.size:
        matched, columns = match(similarity[here[:, None], there], minimum)
        rows[there[columns]] = here[matched]


def _enlarged(boxes: Float64, share: float) -> Float64:
    """Boxes `xyxy` `(N, 4)` with every side moved out by `share` of their width or height."""
    border = (boxes[:, 2:] - boxes[:, :2]) * share
    return np.concatenate([boxes[:, :2] - border, boxes[:, 2:] + border], axis=1)
