"""One stream's loop: frames in; tracked, recognized faces, followed people and events out."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.drawing.annotate import Label
from mien.errors import UsageError
from mien.face.detector import FaceDetector
from mien.identity.gallery import Collection
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.person.detector import PersonDetector
from mien.person.embedder import PersonEmbedder
from mien.records import Face, Frame, Person
from mien.scene.events import Event
from mien.scene.face_tracks import Ended, FacesSeen, FaceTracks
from mien.scene.look_ahead import Look, LookAhead
from mien.scene.moment import Moment, Summary
from mien.scene.person_tracks import PersonTracks
from mien.scene.recognizer import Recognizer, Trace
from mien.scene.stream import Stream, resizing, seconds_away, steps_between, stream_name
from mien.scene.telling import Kind, Teller, label_of
from mien.scene.zones import Zones
from mien.settings import settings

LONG_SIDE = 640
"""Longest side in pixels at which frames are searched for faces; smaller frames are taken as they are."""


class Watcher:
    """Watches one stream; a new one for each.

    Without `people` faces are followed, and recognized where there is a collection. With it bodies are followed, and
    faces only where there is a collection: a body takes over who its face is, and keeps it when the face turns away.

    Args:
        collection: whom to recognize.
        fpir: false positive identification rate of a search, in (0, 1).
        long_side: frames are reduced to this longest side in pixels for the detection of faces.
        people: follow bodies.
        zones: lines, zones and rules of the picture; bodies are followed where they are given.
        moving_camera: the camera shakes, pans or is carried: bodies are followed relative to the background.

    Attributes:
        summary: totals so far.

    Raises:
        UsageError: `rate_out_of_range`.
        BadInputError: `collection_missing`, or `collection_empty`: nobody was ever enrolled.
        MissingError: a model is not there.
    """

    def __init__(
        self,
        collection: Collection | None = None,
        *,
        fpir: float = 0.01,
        long_side: int = LONG_SIDE,
        people: bool = False,
        zones: Zones | None = None,
        moving_camera: bool = False,
    ) -> None:
        if not 0 < fpir < 1:
            raise UsageError(f"fpir is {fpir}; it must lie between 0 and 1", code="rate_out_of_range")
        self._ahead = min(os.cpu_count() or 1, 4)
        self._zones = (zones or Zones()) if people or zones else None
        self._moving_camera = moving_camera
        self._looks: list[Look] = []
        # Weak detections go on to the tracker: they can continue a track, though never begin one.
        if collection is not None or self._zones is None:
            session = Session(default("face-detection", settings().pack), streams=self._ahead)
            self._looks.append(FaceDetector(long_side=long_side, score=0.3, session=session))
        if self._zones is not None:
            session = Session(default("person-detection", settings().pack), streams=self._ahead)
            self._looks.append(PersonDetector(score=0.1, session=session))
            self._body_embedder = PersonEmbedder()
        self._has_faces = collection is not None or self._zones is None
        self._recognizer = None if collection is None else Recognizer(collection, fpir)
        self._is_watch_list = collection is not None and collection.watch_list
        self.summary = Summary(people=None if self._zones is None else 0)

    def watch(self, video: Stream) -> Generator[Moment, None, None]:
        """The moments of a stream, one a frame, in order. Ends with the stream; then `summary` is complete.

        Leaving the loop early and closing the generator ends it cleanly: the summary holds what was seen until then.

        Raises:
            MienError: what the stream raised, such as `camera_unreachable`; the events of the end come first.
        """
        self._begin(video)
        start = time.perf_counter()
        last: Frame | None = None
        look_ahead = LookAhead(self._looks, self._ahead)
        try:
            with closing(look_ahead(video)) as looked:
                for frame, found in looked:
                    steps = 1 if last is None else steps_between(video, last, frame)
                    away = None if last is None else seconds_away(video, last, frame)
                    events = [] if away is None else [self._teller.gap(away, frame)]
                    motion = None if last is None else resizing(last, frame)
                    last = frame
                    moment = self._moment(frame, found, steps, motion, events)
                    self.summary.frames += 1
                    yield moment
                    self.summary.seconds = time.perf_counter() - start
            if last is not None:
                events = self._finish(last)
                if events:
                    yield Moment(last, [], [], events, is_end=True)
            if look_ahead.broken is not None:
                raise look_ahead.broken
        finally:
            self.summary.dropped = video.dropped
            self.summary.extractions = self._recognizer.extractions if self._recognizer else 0
            self.summary.extractions += self._people.extractions if self._people else 0
            self.summary.seconds = time.perf_counter() - start

    def extractions(self, track_id: int) -> int:
        """Features that were extracted for a face track that has not ended."""
        return len(self._faces.traces[track_id].features) if self._faces is not None else 0

    def _begin(self, video: Stream) -> None:
        ids = count(1)
        self._teller = Teller(self.summary, stream_name(video), self._is_watch_list)
        self._faces = FaceTracks(video.frame_rate, ids, self._recognizer) if self._has_faces else None
        self._people: PersonTracks | None = None
        self._kind: Kind | None = None
        if self._zones is not None:
            self._people = PersonTracks(
                video.frame_rate,
                ids,
                self._body_embedder,
                self._zones,
                self._teller,
                moving_camera=self._moving_camera,
            )
            self._kind = "face"

    def _moment(
        self,
        frame: Frame,
        found: Sequence[list[Any]],
        steps: int,
        motion: NDArray[np.float64] | None,
        events: list[Event],
    ) -> Moment:
        findings = iter(found)
        faces = FacesSeen([], [], [], [])
        if self._faces is not None:
            faces = self._faces.update(frame, next(findings), steps, motion)
            events += self._faces_ended(faces.ended, frame)
            for track_id in faces.new:
                trace = self._faces.traces[track_id]
                events.append(self._teller.event("appeared", track_id, trace, frame, self._kind))
        people: list[Person] = []
        labels, counts = [], {}
        if self._people is not None:
            people, traces, told = self._people.update(frame, next(findings), steps, motion)
            events += told
            self._join(faces.faces, people)
        if self._faces is not None:
            before = self._faces.recognize(frame, faces)
            for face, trace, subject in zip(faces.faces, faces.traces, before, strict=True):
                events += self._decided(face.track_id or 0, trace, frame, subject)
        if self._people is not None:
            labels, counts = [label_of(trace) for trace in traces], self._people.counts()
        self._add(events, counts)
        face_labels = [self._face_label(face, trace) for face, trace in zip(faces.faces, faces.traces, strict=True)]
        return Moment(frame, faces.faces, face_labels, events, False, people, labels, counts)

    def _face_label(self, face: Face, trace: Trace) -> Label:
        of_body = None if self._people is None else self._people.label_of(face.track_id or 0)
        return of_body or label_of(trace)

    def _join(self, faces: Sequence[Face], people: Sequence[Person]) -> None:
        if self._people is not None and faces:
            boxes = np.array([face.box for face in faces], np.float32)
            self._people.join([face.track_id or 0 for face in faces], boxes, people)

    def _decided(
        self, face: int, trace: Trace, frame: Frame, before: str | None, *, is_over: bool = False
    ) -> list[Event]:
        """A decision is told of the person, once: of the body where the face is joined to one, else of the face."""
        if self._people is not None and self._people.body_of(face) is not None:
            return self._people.learn(face, trace, frame, is_over=is_over)
        return self._teller.decided(face, trace, frame, before, self._kind, is_over=is_over)

    def _faces_ended(self, ended: Sequence[Ended], frame: Frame) -> list[Event]:
        events = []
        for one in ended:
            events += self._decided(one.track_id, one.trace, frame, one.before, is_over=True)
            events.append(self._teller.event("left", one.track_id, one.trace, frame, self._kind))
        if self._people is not None:
            self._people.forget_faces([one.track_id for one in ended])
        return events

    def _finish(self, frame: Frame) -> list[Event]:
        events = self._faces_ended(self._faces.finish(frame), frame) if self._faces is not None else []
        if self._people is not None:
            events += self._people.finish(frame)
            self._add(events, self._people.counts())
        return events

    def _add(self, events: Sequence[Event], counts: dict[str, Any]) -> None:
        """Brings the totals up to date."""
        appeared = [event for event in events if event.event == "appeared"]
        self.summary.tracks += len(appeared)
        if self.summary.people is not None:
            self.summary.people += sum(event.facts.get("kind") == "person" for event in appeared)
            self.summary.counts = counts
