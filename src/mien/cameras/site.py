"""All cameras of a site: their streams followed side by side, and everybody known by one number across them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from mien.cameras.appearance import load_appearance
from mien.cameras.clock_check import clock_errors
from mien.cameras.events import camera_event, decision_event
from mien.cameras.identities import Identities
from mien.cameras.interleaving import Interleaved
from mien.cameras.passages import Passage, Passages
from mien.cameras.recent import Tracklet
from mien.cameras.topology import Topology
from mien.errors import MienError, UsageError
from mien.models.catalogue import default
from mien.models.runtime import Session
from mien.person.detector import PersonDetector
from mien.person.embedder import PersonEmbedder
from mien.records import Frame, Person
from mien.scene.events import Event
from mien.scene.moment import Summary
from mien.scene.person_tracks import PersonTracks
from mien.scene.stream import Stream, resizing, seconds_away, steps_between
from mien.scene.telling import Teller
from mien.scene.zones import Zones
from mien.settings import settings


@dataclass(frozen=True, slots=True, eq=False)
class SiteMoment:
    """One frame of one camera and what is known at it.

    Attributes:
        camera: its name.
        frame: the frame; None where a stream ended before its first.
        people: the tracked bodies in it, each with a `track_id` that no other camera gives.
        events: what happened, as JSON objects: those of the tracks, and those of people across cameras.
        is_end: the stream is over; `frame` is its last one once more, with the events of the end.
    """

    camera: str
    frame: Frame | None
    people: list[Person]
    events: list[dict[str, Any]]
    is_end: bool = False


@dataclass(slots=True, eq=False)
class _Loop:
    """What is kept of one camera."""

    stream: Stream
    tracks: PersonTracks
    passages: Passages
    teller: Teller
    last: Frame | None = None


class Site:
    """Follows the people of several cameras; the networks are loaded once for all of them.

    Args:
        topology: cameras and ways.

    Attributes:
        identities: who was where, and every decision about it; `identities.undo` takes one back at any time.

    Raises:
        MissingError: a model or the embedder's calibration is not there.
    """

    def __init__(self, topology: Topology) -> None:
        # As many calls side by side as the networks can share out over the cores.
        session = Session(default("person-detection", settings().pack), streams=min(len(topology.cameras), 4))
        self._detector = PersonDetector(score=0.1, session=session)
        self._embedder = PersonEmbedder()
        self.topology = topology
        self._appearance = load_appearance(self._embedder.name, self._embedder.fingerprint)
        self.identities = Identities(topology, self._appearance)
        self._offsets = {camera.name: camera.clock_offset for camera in topology.cameras}

    def follow(self, streams: Mapping[str, Stream]) -> Generator[SiteMoment, None, None]:
        """The moments of all streams; recordings in the order of their common time, live ones as they come.

        A stream that breaks off ends with an event `camera_lost`, and the others go on.

        Args:
            streams: by the name of the camera; opened, and closed by the caller.

        Raises:
            UsageError: `camera_unknown`, `no_cameras`.
        """
        unknown = sorted(streams.keys() - self._offsets.keys())
        if unknown or not streams:
            raise UsageError(
                f"streams of {unknown or 'no camera'} were given; the topology has {', '.join(self._offsets)}",
                code="camera_unknown" if unknown else "no_cameras",
            )
        ids = count(1)
        loops = {}
        for name, stream in streams.items():
            teller = Teller(Summary(people=0), name, False)
            tracks = PersonTracks(stream.frame_rate, ids, self._embedder, Zones(), teller)
            loops[name] = _Loop(stream, tracks, Passages(self._embedder.crop), teller)
        seen = Interleaved(streams, self._offsets, [self._detector])
        with closing(iter(seen)) as frames:
            for name, frame, found, error in frames:
                loop = loops[name]
                if frame is not None:
                    yield self._moment(name, loop, frame, found[0])
                else:
                    yield self._end(name, loop, error)

    def wrong_clocks(self) -> list[dict[str, Any]]:
        """`clock_wrong` events for the cameras whose clocks do not fit those of the others, as far as can be told."""
        tracklets = self.identities.remembered
        time = max((tracklet.end for tracklet in tracklets), default=0.0)
        return [
            camera_event("clock_wrong", error.camera, time, **error.facts())
            for error in clock_errors(tracklets, self.topology, self._appearance)
        ]

    def _moment(self, name: str, loop: _Loop, frame: Frame, found: Sequence[Person]) -> SiteMoment:
        events: list[Event] = []
        steps, motion = 1, None
        if loop.last is not None:
            steps, motion = steps_between(loop.stream, loop.last, frame), resizing(loop.last, frame)
            away = seconds_away(loop.stream, loop.last, frame)
            events += [] if away is None else [loop.teller.gap(away, frame)]
        loop.last = frame
        people, _, told = loop.tracks.update(frame, found, steps, motion)
        loop.passages.update(frame, people)
        return SiteMoment(name, frame, people, self._told(name, loop, events + told, frame))

    def _end(self, name: str, loop: _Loop, error: MienError | None) -> SiteMoment:
        frame = loop.last
        events = [] if frame is None else self._told(name, loop, loop.tracks.finish(frame), frame)
        if error is not None:
            time = self._offsets[name] + (0.0 if frame is None else frame.time)
            events.append(camera_event("camera_lost", name, time, code=error.code, reason=str(error)))
        return SiteMoment(name, frame, [], events, is_end=True)

    def _told(self, name: str, loop: _Loop, events: Sequence[Event], frame: Frame) -> list[dict[str, Any]]:
        """The tracks' events as JSON, and after each that ended whom it showed."""
        told = []
        for event in events:
            told.append(event.to_dict() | {"camera": name})
            passage = loop.passages.end(event.track_id or 0) if event.event == "left" else None
            if passage is not None:
                told.append(self._decided(name, event.track_id or 0, passage, frame.time))
        return told

    def _decided(self, name: str, track_id: int, passage: Passage, now: float) -> dict[str, Any]:
        vectors = self._embedder.vectors([crop for _, _, crop in passage.shots])
        mean = vectors.sum(0)
        vector = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
        tracklet = Tracklet(name, passage.start, passage.end, vector, str(track_id))
        offset = self._offsets[name]
        decision = self.identities.add(tracklet, now=now + offset)
        common = replace(tracklet, start=passage.start + offset, end=passage.end + offset)
        return decision_event(decision, common, time=now + offset, track_id=track_id)
