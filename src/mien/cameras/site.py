"""All cameras of a site: their streams followed side by side, and everybody known by one number across them."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
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
from mien.errors import MienError, UsageError, nearest
from mien.identity.gallery import Collection
from mien.person.embedder import PersonEmbedder
from mien.records import Frame, Person
from mien.scene.events import Event
from mien.scene.face_tracks import FaceTracks
from mien.scene.following import Following, detectors
from mien.scene.moment import Moment, Summary
from mien.scene.person_tracks import PersonTracks
from mien.scene.recognizer import Recognizer
from mien.scene.stream import Stream
from mien.scene.telling import Teller
from mien.scene.watcher import LONG_SIDE
from mien.scene.zones.zone_file import Zones


@dataclass(frozen=True, slots=True, eq=False)
class SiteMoment:
    """One frame of one camera and what is known at it.

    Attributes:
        camera: its name.
        moment: what its stream shows, tracks with numbers that no other camera gives; None at the stream's end where
            nothing happened in it.
        events: what happened, as JSON objects: those of the tracks, and those of people across cameras.
        is_end: the stream is over.
    """

    camera: str
    moment: Moment | None
    events: list[dict[str, Any]]
    is_end: bool = False

    @property
    def frame(self) -> Frame | None:
        """The frame; at the end of a stream its last one once more, or None."""
        return None if self.moment is None else self.moment.frame

    @property
    def people(self) -> list[Person]:
        """The tracked bodies in it."""
        return [] if self.moment is None else self.moment.people


@dataclass(slots=True, eq=False)
class _Loop:
    """What is kept of one camera."""

    following: Following
    passages: Passages
    summary: Summary


class Site:
    """Follows the people of several cameras; the networks are loaded once for all of them.

    Args:
        topology: cameras and ways.
        collection: whom to recognize by their faces: a name joins people across cameras, and stays with them where no
            face is seen.
        fpir: false positive identification rate of a search, in (0, 1).
        zones: by camera, lines, zones and rules to look at.

    Attributes:
        identities: who was where, and every decision about it; `identities.undo` takes one back at any time.
        counts: by camera, the totals of its lines, zones and rules so far, of those that have any.

    Raises:
        UsageError: `camera_unknown`: zones of one that the topology does not have.
        BadInputError: `collection_missing` or `collection_empty`.
        MissingError: a model or the embedder's calibration is not there.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        collection: Collection | None = None,
        fpir: float = 0.01,
        zones: Mapping[str, Zones] | None = None,
    ) -> None:
        self._zones = dict(zones or {})
        _check_cameras(self._zones, topology)
        self._recognizer = None if collection is None else Recognizer(collection, fpir)
        self._is_watch_list = collection is not None and collection.watch_list
        # As many calls side by side as the networks can share out over the cores.
        streams = min(len(topology.cameras), 4)
        self._looks = detectors(faces=collection is not None, people=True, long_side=LONG_SIDE, streams=streams)
        self._embedder = PersonEmbedder()
        self.topology = topology
        self._appearance = load_appearance(self._embedder.name, self._embedder.fingerprint)
        # A stranger is taken for a given one of N subjects N times more rarely than for any of them.
        subjects = 1 if collection is None else max(len(collection.subjects()), 1)
        self.identities = Identities(topology, self._appearance, same_subject=float(np.log(subjects / fpir)))
        self.counts: dict[str, dict[str, Any]] = {}
        self._offsets = {camera.name: camera.clock_offset for camera in topology.cameras}

    def follow(self, streams: Mapping[str, Stream]) -> Generator[SiteMoment, None, None]:
        """The moments of all streams; recordings in the order of their common time, live ones as they come.

        A stream that breaks off ends with an event `camera_lost`, and the others go on.

        Args:
            streams: by the name of the camera; opened, and closed by the caller.

        Raises:
            UsageError: `camera_unknown`, `no_cameras`.
        """
        _check_cameras(streams, self.topology)
        if not streams:
            raise UsageError("no stream was given; give one of each camera", code="no_cameras")
        ids = count(1)
        loops = {name: self._loop(name, stream, ids) for name, stream in streams.items()}
        seen = Interleaved(streams, self._offsets, self._looks)
        with closing(iter(seen)) as frames:
            for name, frame, found, error in frames:
                loop = loops[name]
                if frame is not None:
                    moment = loop.following.step(frame, found)
                    loop.passages.update(frame, moment.people)
                    yield SiteMoment(name, moment, self._told(name, loop, moment))
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

    def _loop(self, name: str, stream: Stream, ids: Iterator[int]) -> _Loop:
        summary = Summary(people=0)
        teller = Teller(summary, name, self._is_watch_list)
        faces = None if self._recognizer is None else FaceTracks(stream.frame_rate, ids, self._recognizer)
        people = PersonTracks(stream.frame_rate, ids, self._embedder, self._zones.get(name, Zones()), teller)
        return _Loop(Following(stream, summary, teller, faces, people), Passages(self._embedder.crop), summary)

    def _end(self, name: str, loop: _Loop, error: MienError | None) -> SiteMoment:
        frame, moment = loop.following.last, loop.following.finish()
        events = [] if moment is None else self._told(name, loop, moment)
        if error is not None:
            time = self._offsets[name] + (0.0 if frame is None else frame.time)
            events.append(camera_event("camera_lost", name, time, code=error.code, reason=str(error)))
        return SiteMoment(name, moment, events, is_end=True)

    def _told(self, name: str, loop: _Loop, moment: Moment) -> list[dict[str, Any]]:
        """The tracks' events as JSON, and after each that ended whom it showed."""
        told = []
        for event in moment.events:
            told.append(event.to_dict() | {"camera": name})
            passage = loop.passages.end(event.track_id or 0) if event.event == "left" else None
            if passage is not None:
                told.append(self._decided(name, event, passage, moment.frame.time))
        if name in self._zones and loop.summary.counts is not None:
            self.counts[name] = loop.summary.counts
        return told

    def _decided(self, name: str, event: Event, passage: Passage, now: float) -> dict[str, Any]:
        vectors = self._embedder.vectors([crop for _, _, crop in passage.shots])
        mean = vectors.sum(0)
        vector = (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)
        track_id = event.track_id or 0
        tracklet = Tracklet(name, passage.start, passage.end, vector, str(track_id), event.subject)
        offset = self._offsets[name]
        decision = self.identities.add(tracklet, now=now + offset)
        common = replace(tracklet, start=passage.start + offset, end=passage.end + offset)
        return decision_event(decision, common, time=now + offset, track_id=track_id)


def _check_cameras(given: Mapping[str, Any], topology: Topology) -> None:
    unknown = sorted(given.keys() - set(topology.names))
    if unknown:
        raise UsageError(
            f"there is no camera {unknown[0]!r} in the topology{nearest(unknown[0], topology.names)}",
            code="camera_unknown",
        )
