"""One stream's loop: frames in; tracked, recognized faces and events out."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from mien.drawing.annotate import Label
from mien.errors import MienError, UsageError
from mien.face.detector import FaceDetector
from mien.identity.gallery import Collection
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.records import Face, Frame
from mien.scene.events import Event, EventName
from mien.scene.recognizer import Recognizer, Trace
from mien.settings import settings
from mien.tracking.tracker import Tracker

LONG_SIDE = 640
"""Longest side in pixels at which frames are searched for faces; smaller frames are taken as they are."""

_SETTLED_SECONDS = 1.0
"""How long after its first search a track that resembles nobody is called unknown: better shots come meanwhile."""


class Stream(Protocol):
    """What can be watched: `mien.media.video.Video`, or frames that something else makes."""

    @property
    def live(self) -> bool:
        """Whether frames come at their own pace."""

    @property
    def frame_rate(self) -> float:
        """Frames a second."""

    @property
    def dropped(self) -> int:
        """Frames that nobody was ready for."""

    def __iter__(self) -> Iterator[Frame]:
        """The frames in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """One frame and what is known at it.

    Attributes:
        frame: the frame.
        faces: the tracked faces in it, each with its `track_id`.
        labels: what is known about whose face each is.
        events: what happened at this frame.
        is_end: the stream is over; `frame` is its last one once more, with the events of the end.
    """

    frame: Frame
    faces: list[Face]
    labels: list[Label]
    events: list[Event]
    is_end: bool = False


@dataclass(slots=True)
class Summary:
    """Totals of a stream: frames, seconds of processing, tracks, extractions, and the subjects that were recognized."""

    frames: int = 0
    dropped: int = 0
    seconds: float = 0.0
    tracks: int = 0
    extractions: int = 0
    subjects: dict[str, dict[str, Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The summary as the contract's JSON object."""
        return {
            "frames": self.frames,
            "dropped": self.dropped,
            "seconds": round(self.seconds, 3),
            "fps": round(self.frames / self.seconds, 2) if self.seconds else 0.0,
            "tracks": self.tracks,
            "extractions": self.extractions,
            "subjects": self.subjects,
        }


class Watcher:
    """Watches one stream; a new one for each.

    Args:
        collection: whom to recognize; None only follows faces.
        fpir: false positive identification rate of a search, in (0, 1).
        long_side: frames are reduced to this longest side in pixels for detection.

    Attributes:
        summary: totals so far.

    Raises:
        UsageError: `rate_out_of_range`.
        BadInputError: `collection_missing`, or `collection_empty`: nobody was ever enrolled.
        MissingError: a model is not there.
    """

    def __init__(self, collection: Collection | None = None, *, fpir: float = 0.01, long_side: int = LONG_SIDE) -> None:
        if not 0 < fpir < 1:
            raise UsageError(f"fpir is {fpir}; it must lie between 0 and 1", code="rate_out_of_range")
        self._ahead = min(os.cpu_count() or 1, 4)
        session = Session(default("face-detection", settings().pack), streams=self._ahead)
        # Weak detections go on to the tracker: they can continue a track, though never begin one.
        self._detector = FaceDetector(long_side=long_side, score=0.3, session=session)
        self._recognizer: Recognizer | None = None
        self._is_watch_list = False
        if collection is not None:
            self._recognizer = Recognizer(collection, fpir)
            self._is_watch_list = collection.watch_list
        self._traces: dict[int, Trace] = {}
        self._broken: MienError | None = None
        self.summary = Summary()

    def watch(self, video: Stream) -> Generator[Moment, None, None]:
        """The moments of a stream, one a frame, in order. Ends with the stream; then `summary` is complete.

        Leaving the loop early and closing the generator ends it cleanly: the summary holds what was seen until then.

        Raises:
            MienError: what the stream raised, such as `camera_unreachable`; the events of the end come first.
        """
        # Half of the high band lies between weak and sure for faces: YuNet scores faces above 0.6 to 0.95.
        tracker = Tracker(frame_rate=video.frame_rate, low=0.3, high=0.6, new=0.7)
        start, last = time.perf_counter(), None
        try:
            with closing(self._detected(video)) as detected:
                for frame, faces in detected:
                    yield self._moment(tracker, frame, faces, 1 if last is None else _steps(video, last, frame))
                    last = frame
                    self.summary.seconds = time.perf_counter() - start
            if last is not None:
                events = self._ended(tracker.finish(), last)
                if events:
                    yield Moment(last, [], [], events, is_end=True)
            if self._broken is not None:
                raise self._broken
        finally:
            self.summary.dropped = video.dropped
            self.summary.extractions = self._recognizer.extractions if self._recognizer else 0
            self.summary.seconds = time.perf_counter() - start

    def extractions(self, track_id: int) -> int:
        """Features that were extracted for a track that has not ended."""
        return len(self._traces[track_id].features)

    def _detected(self, video: Stream) -> Generator[tuple[Frame, list[Face]], None, None]:
        """Frames with their faces, in order; the detection of the next frames runs beside what is done with this one.

        A live stream is not looked ahead in: that would answer one frame late. An error of the stream is kept until
        what came before it has been used.
        """
        ahead = 1 if video.live else self._ahead + 1
        waiting: deque[tuple[Frame, Future[list[Face]]]] = deque()
        frames = iter(video)
        pool = ThreadPoolExecutor(self._ahead, thread_name_prefix="mien-detect")
        try:
            while (frame := self._next(frames)) is not None:
                waiting.append((frame, pool.submit(self._detector, frame.image)))
                if len(waiting) >= ahead:
                    done, faces = waiting.popleft()
                    yield done, faces.result()
            while waiting:
                done, faces = waiting.popleft()
                yield done, faces.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def _next(self, frames: Iterator[Frame]) -> Frame | None:
        try:
            return next(frames, None)
        except MienError as error:
            self._broken = error
            return None

    def _moment(self, tracker: Tracker, frame: Frame, found: list[Face], steps: int) -> Moment:
        boxes = np.array([face.box for face in found], np.float32).reshape(-1, 4)
        scores = np.array([face.score for face in found], np.float32)
        update = tracker.update(boxes, scores, steps=steps)
        events = self._ended(update.ended, frame)
        pairs = sorted(zip(update.track_ids.tolist(), range(len(found)), strict=True))
        faces = [replace(found[at], track_id=track_id) for track_id, at in pairs if track_id > 0]
        traces = []
        for face in faces:
            trace = self._traces.get(face.track_id or 0)
            if trace is None:
                trace = self._traces[face.track_id or 0] = Trace(frame.time, frame.time, face.box)
                self.summary.tracks += 1
                events.append(self._event("appeared", face.track_id or 0, trace, frame))
            trace.seen, trace.box = frame.time, face.box
            traces.append(trace)
        if self._recognizer is not None:
            before = [trace.subject for trace in traces]
            self._recognizer.search(self._recognizer.look(frame.image, faces, traces, frame.time), frame.time)
            for face, trace, subject in zip(faces, traces, before, strict=True):
                events += self._decided(face.track_id or 0, trace, frame, subject)
        self.summary.frames += 1
        return Moment(frame, faces, [_label(trace) for trace in traces], events)

    def _decided(
        self, track_id: int, trace: Trace, frame: Frame, before: str | None, is_over: bool = False
    ) -> list[Event]:
        """The events of a decision that has just been made; `before` is who it was taken for until then."""
        if trace.match is not None:
            if trace.match.subject == before:
                return []
            # Also where a better shot shows that it is somebody else: who reads the events must learn it.
            names: tuple[EventName, ...] = ("recognized", "alarm") if self._is_watch_list else ("recognized",)
            seen = self.summary.subjects.setdefault(trace.match.subject, {"tracks": 0, "first": round(trace.began, 3)})
            seen["tracks"] += 1
            return [self._event(name, track_id, trace, frame) for name in names]
        is_settled = is_over or (trace.asked is not None and frame.time - trace.asked >= _SETTLED_SECONDS)
        if trace.asked is not None and is_settled and not trace.is_unknown:
            trace.is_unknown = True
            return [self._event("unknown", track_id, trace, frame)]
        return []

    def _ended(self, track_ids: tuple[int, ...], frame: Frame) -> list[Event]:
        events = []
        for track_id in track_ids:
            trace = self._traces.pop(track_id, None)
            if trace is None:
                continue
            if self._recognizer is not None:
                before = trace.subject
                if self._recognizer.end(track_id):
                    self._recognizer.search([trace], frame.time)
                events += self._decided(track_id, trace, frame, before, is_over=True)
            events.append(self._event("left", track_id, trace, frame))
        return events

    def _event(self, name: EventName, track_id: int, trace: Trace, frame: Frame) -> Event:
        if trace.match is not None:
            self.summary.subjects[trace.match.subject]["last"] = round(trace.seen, 3)
        return Event(
            event=name,
            time=frame.time,
            frame=frame.index,
            track_id=track_id,
            box=trace.box,
            subject=trace.subject,
            similarity=trace.similarity,
            quality=trace.quality,
            duration=trace.seen - trace.began,
            utc=frame.utc,
        )


def _steps(video: Stream, last: Frame, frame: Frame) -> int:
    """How many frames of the tracker's time lie between two frames, at least 1.

    A camera that was away for a while, or that delivers fewer frames than it says, skips time without skipping
    numbers.
    """
    numbers = frame.index - last.index
    times = round((frame.time - last.time) * video.frame_rate) if video.live else 0
    return max(1, numbers, times)


def _label(trace: Trace) -> Label:
    if trace.match is not None:
        return Label("recognized", trace.match.subject, trace.match.similarity)
    return Label("unknown" if trace.is_unknown else "undecided")
