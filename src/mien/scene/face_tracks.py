"""The faces of one stream: followed, and recognized where there is a collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.records import Face, Frame
from mien.scene.recognizer import Recognizer, Trace
from mien.tracking.tracker import Tracker


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """A track that ended: its number, what was known of it, and who it was taken for before its last search."""

    track_id: int
    trace: Trace
    before: str | None


@dataclass(frozen=True, slots=True, eq=False)
class FacesSeen:
    """The tracked faces of one frame.

    Attributes:
        faces: each with its `track_id`, ascending.
        traces: what is known of each.
        new: numbers of the tracks that are seen for the first time.
        ended: tracks that were given up at this frame.
    """

    faces: list[Face]
    traces: list[Trace]
    new: list[int]
    ended: list[Ended]


class FaceTracks:
    """Follows the faces of one stream.

    Args:
        frame_rate: frames a second.
        ids: where the tracks' numbers come from.
        recognizer: who they are; None only follows them.
    """

    def __init__(self, frame_rate: float, ids: Iterator[int], recognizer: Recognizer | None) -> None:
        # Half of the high band lies between weak and sure for faces: YuNet scores faces above 0.6 to 0.95.
        self._tracker = Tracker(frame_rate=frame_rate, low=0.3, high=0.6, new=0.7, ids=ids)
        self._recognizer = recognizer
        self.traces: dict[int, Trace] = {}

    def update(
        self, frame: Frame, found: Sequence[Face], steps: int, motion: NDArray[np.float64] | None = None
    ) -> FacesSeen:
        """Takes the faces that a detector found in the next frame; `steps` and `motion` as of `Tracker.update`."""
        boxes = np.array([face.box for face in found], np.float32).reshape(-1, 4)
        scores = np.array([face.score for face in found], np.float32)
        update = self._tracker.update(boxes, scores, steps=steps, motion=motion)
        ended = self._ended(update.ended, frame)
        pairs = sorted(zip(update.track_ids.tolist(), range(len(found)), strict=True))
        faces = [replace(found[at], track_id=track_id) for track_id, at in pairs if track_id > 0]
        traces, new = [], []
        for face in faces:
            track_id = face.track_id or 0
            if track_id not in self.traces:
                self.traces[track_id] = Trace(frame.time, frame.time, face.box)
                new.append(track_id)
            trace = self.traces[track_id]
            trace.seen, trace.box = frame.time, face.box
            traces.append(trace)
        return FacesSeen(faces, traces, new, ended)

    def recognize(self, frame: Frame, seen: FacesSeen) -> list[str | None]:
        """Searches those whose shot is worth it; returns who each of the faces was taken for before."""
        before = [trace.subject for trace in seen.traces]
        if self._recognizer is not None:
            due = self._recognizer.look(frame.image, seen.faces, seen.traces, frame.time)
            self._recognizer.search(due, frame.time)
        return before

    def finish(self, frame: Frame) -> list[Ended]:
        """Ends all tracks."""
        return self._ended(self._tracker.finish(), frame)

    def _ended(self, track_ids: Sequence[int], frame: Frame) -> list[Ended]:
        ended = []
        for track_id in track_ids:
            trace = self.traces.pop(track_id, None)
            if trace is None:
                continue
            before = trace.subject
            if self._recognizer is not None and self._recognizer.end(track_id):
                self._recognizer.search([trace], frame.time)
            ended.append(Ended(track_id, trace, before))
        return ended
