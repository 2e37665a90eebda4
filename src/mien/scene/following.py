"""What is kept of one stream while it is followed: frames with their findings in, moments out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.drawing.annotate import Label
from mien.face.detector import FaceDetector
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.person.detector import PersonDetector
from mien.records import Face, Frame, Person
from mien.scene.age_and_sex import AgesAndSexes
from mien.scene.events import Event
from mien.scene.face_tracks import Ended, FacesSeen, FaceTracks
from mien.scene.look_ahead import Look
from mien.scene.moment import Moment, Summary
from mien.scene.person_tracks import PersonTracks
from mien.scene.recognizer import Trace
from mien.scene.stream import Stream, resizing, seconds_away, steps_between
from mien.scene.telling import Kind, Teller, label_of
from mien.settings import settings


def detectors(*, faces: bool, people: bool, long_side: int, streams: int) -> list[Look]:
    """The detectors of what is followed, faces first: `Following.step` takes what they find in this order.

    Args:
        faces, people: what is followed.
        long_side: frames are reduced to this longest side in pixels for the detection of faces.
        streams: calls side by side, as of `Session`.
    """
    # Weak detections go on to the tracker: they can continue a track, though never begin one.
    looks: list[Look] = []
    if faces:
        session = Session(default("face-detection", settings().pack), streams=streams, steady=True)
        looks.append(FaceDetector(long_side=long_side, score=0.3, session=session))
    if people:
        session = Session(default("person-detection", settings().pack), streams=streams, steady=True)
        looks.append(PersonDetector(score=0.1, session=session))
    return looks


class Following:
    """Follows faces, people or both in one stream; of several streams each has its own, and they may share the rest.

    Args:
        stream: its pace is asked for, its frames come through `step`.
        summary: its tracks, people, subjects and counts are kept up to date.
        teller: makes the events, and adds up the same summary.
        faces, people: what is followed; the other is None.
        ages: reads ages and sexes from faces.

    Attributes:
        last: the frame before; None before the first.
    """

    def __init__(
        self,
        stream: Stream,
        summary: Summary,
        teller: Teller,
        faces: FaceTracks | None,
        people: PersonTracks | None,
        *,
        ages: AgesAndSexes | None = None,
    ) -> None:
        self._stream, self._summary, self._teller = stream, summary, teller
        self._faces, self._people, self._ages = faces, people, ages
        self._kind: Kind | None = None if people is None else "face"
        self.last: Frame | None = None

    def step(self, frame: Frame, found: Sequence[list[Any]]) -> Moment:
        """Takes the next frame with what each of the `detectors` found in it."""
        events: list[Event] = []
        steps, motion = 1, None
        if self.last is not None:
            steps, motion = steps_between(self._stream, self.last, frame), resizing(self.last, frame)
            away = seconds_away(self._stream, self.last, frame)
            events += [] if away is None else [self._teller.gap(away, frame)]
        self.last = frame
        return self._moment(frame, found, steps, motion, events)

    def finish(self) -> Moment | None:
        """Ends all tracks: the moment of the end, None where nothing happened at it."""
        if self.last is None:
            return None
        events = self._finish(self.last)
        return Moment(self.last, [], [], events, is_end=True) if events else None

    def extractions(self, track_id: int) -> int:
        """Features that were extracted for a face track that has not ended."""
        return len(self._faces.traces[track_id].features) if self._faces is not None else 0

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
            if self._ages is not None:
                self._ages.look(frame.image, faces.faces, faces.traces)
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
            if self._ages is not None:
                self._ages.forget(one.track_id)
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
        self._summary.tracks += len(appeared)
        if self._summary.people is not None:
            self._summary.people += sum(event.facts.get("kind") == "person" for event in appeared)
            self._summary.counts = counts
