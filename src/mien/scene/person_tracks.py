"""The bodies of one stream: followed, named after their faces, and what they do in lines, zones and rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.drawing.annotate import Label
from mien.person.embedder import PersonEmbedder
from mien.records import Frame, Match, Person
from mien.scene.events import Event
from mien.scene.joining import Joiner
from mien.scene.recognizer import Trace
from mien.scene.telling import Teller, label_of
from mien.scene.visits.track_visits import Appearance, TrackVisits
from mien.scene.zones.behaviour import Behaviour, Happening
from mien.scene.zones.zone_file import Zones
from mien.tracking.appearance import AppearanceTracker
from mien.tracking.camera_motion import CameraMotion
from mien.tracking.tracker import Tracker

_HIDDEN_SECONDS = 2.0
"""For so long motion alone bridges that somebody is not seen."""

_AT_ONCE_SECONDS = 1.0
"""Of two bodies that were seen within so long, one at most is any subject."""


class PersonTracks:
    """Follows the bodies of one stream.

    A body takes over who its face was recognized as, and keeps it when the face turns away or is lost.

    Args:
        frame_rate: frames a second.
        ids: where the tracks' numbers come from.
        embedder: looks of people, asked for where motion leaves a doubt.
        zones: lines, zones and rules to look at; an empty one has none.
        teller: makes the events.
        moving_camera: follow the background, too.
        visits: told of each track that ends whose visit it was.
    """

    def __init__(
        self,
        frame_rate: float,
        ids: Iterator[int],
        embedder: PersonEmbedder,
        zones: Zones,
        teller: Teller,
        *,
        moving_camera: bool = False,
        visits: TrackVisits | None = None,
    ) -> None:
        # YOLOX scores people in full view above 0.8 and rarely anything else; half hidden ones between 0.3 and 0.7.
        boxes = Tracker(frame_rate=frame_rate, low=0.1, high=0.6, new=0.8, lost_seconds=_HIDDEN_SECONDS)
        self._tracker = AppearanceTracker(boxes, frame_rate=frame_rate, leave_seconds=_HIDDEN_SECONDS, ids=ids)
        self._embedder = embedder
        self._camera = CameraMotion() if moving_camera else None
        self._behaviour = Behaviour(zones)
        self._teller = teller
        self._joiner = Joiner()
        self._traces: dict[int, Trace] = {}
        self._named_by: dict[int, int] = {}
        self._visits = visits
        self._faces_of: dict[int, dict[int, Trace]] = {}
        self._size = (1, 1)

    def update(
        self, frame: Frame, found: Sequence[Person], steps: int, motion: NDArray[np.float64] | None = None
    ) -> tuple[list[Person], list[Trace], list[Event]]:
        """Takes the bodies that a detector found in the next frame; `steps` and `motion` as of `Tracker.update`.

        Returns:
            The tracked ones, ascending by their `track_id`; what is known of each; and what happened.
        """
        self._size = frame.image.shape[1], frame.image.shape[0]
        boxes = np.array([person.box for person in found], np.float32).reshape(-1, 4)
        scores = np.array([person.score for person in found], np.float32)

        def embed(places: NDArray[np.intp]) -> NDArray[np.float32]:
            return self._embedder.vectors([self._embedder.crop(frame.image, found[place]) for place in places])

        if self._camera is not None:
            moved = self._camera(frame.image, boxes)
            motion = moved if motion is None else motion
        update = self._tracker.update(boxes, scores, embed, size=self._size, steps=steps, motion=motion)
        events = self._ended(update.ended, frame)
        pairs = sorted(zip(update.track_ids.tolist(), range(len(found)), strict=True))
        people = [replace(found[at], track_id=track_id) for track_id, at in pairs if track_id > 0]
        traces = []
        for person in people:
            track_id = person.track_id or 0
            trace = self._traces.get(track_id)
            if trace is None:
                trace = self._traces[track_id] = Trace(frame.time, frame.time, person.box)
                events.append(self._teller.event("appeared", track_id, trace, frame, "person"))
            trace.seen, trace.box = frame.time, person.box
            traces.append(trace)
        width, height = self._size
        happenings = self._behaviour.update(
            np.array([person.track_id for person in people], np.int64),
            np.array([person.box for person in people], np.float32).reshape(-1, 4),
            time=frame.time,
            width=width,
            height=height,
        )
        return people, traces, events + self._told(happenings, frame)

    def join(self, faces: Sequence[int], boxes: NDArray[np.float32], people: Sequence[Person]) -> None:
        """Looks which of the tracked faces, boxes `xyxy` `(F, 4)`, belong to which of the tracked bodies."""
        bodies = np.array([person.box for person in people], np.float32).reshape(-1, 4)
        self._joiner.update(faces, boxes, [person.track_id or 0 for person in people], bodies)
        for body, face in list(self._named_by.items()):
            if self._joiner.body_of(face) not in (None, body):  # it turned out to be the face of another
                self._traces[body].match = None
                del self._named_by[body]
        for body, known in self._faces_of.items():
            for face in [face for face in known if self._joiner.body_of(face) not in (None, body)]:
                del known[face]

    @property
    def extractions(self) -> int:
        """Looks that were extracted so far."""
        return self._tracker.extractions

    def body_of(self, face: int) -> int | None:
        """The body that a face track belongs to."""
        return self._joiner.body_of(face)

    def learn(self, face: int, known: Trace, frame: Frame, *, is_over: bool = False) -> list[Event]:
        """Takes over what is known of a face that is joined to a body; what is new of the body is told."""
        body = self._joiner.body_of(face)
        if body is None:
            return []
        trace = self._traces[body]
        self._faces_of.setdefault(body, {})[face] = known
        before = trace.subject
        trace.quality = max((value for value in (trace.quality, known.quality) if value is not None), default=None)
        if known.asked is not None and trace.asked is None:
            trace.asked = known.asked
        if known.closest is not None:
            trace.closest = known.closest if trace.closest is None else max(trace.closest, known.closest)
        if known.match is not None and self._is_best(body, known.match, frame):
            trace.match = known.match
            self._named_by[body] = face
        told = self._teller.decided(body, trace, frame, before, "person", is_over=is_over)
        known.is_unknown = trace.is_unknown
        return told

    def label_of(self, face: int) -> Label | None:
        """What is known of the body that a face belongs to; None where that body is not known."""
        body = self._joiner.body_of(face)
        return None if body is None else label_of(self._traces[body])

    def forget_faces(self, faces: Sequence[int]) -> None:
        """Face tracks that have ended; their bodies keep what was learnt."""
        self._joiner.end(faces)

    def _is_best(self, body: int, found: Match, frame: Frame) -> bool:
        """Whether a body is whom its face was recognized as: nobody is in two places at once, so that of two bodies
        that are seen the one that resembles the subject most has the name, and the other loses it."""
        known = self._traces[body].match
        if known is not None and found.similarity <= known.similarity:
            return False
        for other, trace in self._traces.items():
            is_there = frame.time - trace.seen < _AT_ONCE_SECONDS
            if other != body and is_there and trace.subject == found.subject:
                if trace.match is not None and trace.match.similarity >= found.similarity:
                    return False
                trace.match = None
                self._named_by.pop(other, None)
        return True

    def finish(self, frame: Frame) -> list[Event]:
        """Ends all tracks, and with them their stays and the episodes of rules."""
        events = self._ended(self._tracker.finish(), frame)
        return events + self._told(self._behaviour.finish(), frame)

    def counts(self) -> dict[str, Any]:
        """Totals of lines, zones and rules so far."""
        return self._behaviour.summary()

    def _ended(self, track_ids: Sequence[int], frame: Frame) -> list[Event]:
        events = []
        for track_id in track_ids:
            path = self._behaviour.path(track_id)
            events += self._told(self._behaviour.end([track_id]), frame)
            trace = self._traces.pop(track_id)
            facts: dict[str, Any] = {"path": path, "picture": list(self._size)}
            faces = list(self._faces_of.pop(track_id, {}).values())
            if self._visits is not None:
                facts |= self._visits.ended(trace, self._look(track_id), faces, frame)
            events.append(self._teller.event("left", track_id, trace, frame, "person", **facts))
            self._named_by.pop(track_id, None)
        self._joiner.end(track_ids)
        return events

    def _look(self, track_id: int) -> Appearance | None:
        """How a person who has just ended looked."""
        if track_id not in self._tracker.looks:
            return None
        total, shots = self._tracker.looks[track_id]
        return Appearance((total / max(float(np.linalg.norm(total)), 1e-12)).astype(np.float32), shots)

    def _told(self, happenings: Sequence[Happening], frame: Frame) -> list[Event]:
        return [self._teller.happened(one, self._traces.get(one.track_id or 0), frame) for one in happenings]
