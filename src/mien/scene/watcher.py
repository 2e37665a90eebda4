"""One stream's loop: frames in; tracked, recognized faces, followed people and events out."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import closing
from itertools import count

from mien.errors import UsageError
from mien.identity.gallery import Collection
from mien.person.embedder import PersonEmbedder
from mien.records import Frame
from mien.scene.age_and_sex import AgesAndSexes
from mien.scene.face_tracks import FaceTracks
from mien.scene.following import Following, detectors
from mien.scene.look_ahead import LookAhead
from mien.scene.moment import Moment, Summary
from mien.scene.person_tracks import PersonTracks
from mien.scene.recognizer import Recognizer
from mien.scene.stream import Stream, stream_name
from mien.scene.telling import Teller
from mien.scene.visits.track_visits import TrackVisits
from mien.scene.visits.visitor_book import VisitorBook
from mien.scene.zones.zone_file import Zones

LONG_SIDE = 640
"""Longest side in pixels at which frames are searched for faces; smaller frames are taken as they are."""


class Watcher:
    """Watches one stream; a new one for each.

    Without `people` faces are followed, and recognized where there is a collection. With it bodies are followed, and
    faces only where there is a collection, or age and sex are wanted: a body takes over who its face is, and keeps it
    when the face turns away.

    Args:
        collection: whom to recognize.
        fpir: false positive identification rate of a search, in (0, 1).
        long_side: frames are reduced to this longest side in pixels for the detection of faces.
        people: follow bodies.
        zones: lines, zones and rules of the picture; bodies are followed where they are given.
        moving_camera: the camera shakes, pans or is carried: bodies are followed relative to the background.
        staff: who is no visitor; where there is no other collection it is the one to recognize. Like the next two it
            is about visitors: bodies are followed where it is given.
        age_gender: read ages and sexes of visitors from their faces.
        visitors: those of earlier runs, who are known again and kept there; the stream must know its UTC.

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
        staff: Collection | None = None,
        age_gender: bool = False,
        visitors: VisitorBook | None = None,
    ) -> None:
        if not 0 < fpir < 1:
            raise UsageError(f"fpir is {fpir}; it must lie between 0 and 1", code="rate_out_of_range")
        self._ahead = min(os.cpu_count() or 1, 4)
        is_about_people = people or zones or staff is not None or age_gender or visitors is not None
        self._zones = (zones or Zones()) if is_about_people else None
        collection = staff if collection is None else collection
        self._visitors = visitors
        self._moving_camera = moving_camera
        self._has_faces = collection is not None or self._zones is None or age_gender
        has_people = self._zones is not None
        self._looks = detectors(faces=self._has_faces, people=has_people, long_side=long_side, streams=self._ahead)
        self._body_embedder = PersonEmbedder() if has_people else None
        self._recognizer = None if collection is None else Recognizer(collection, fpir, staff)
        self._ages = AgesAndSexes() if age_gender else None
        self._is_watch_list = collection is not None and collection.watch_list
        self.summary = Summary(people=None if self._zones is None else 0)

    def watch(self, video: Stream) -> Generator[Moment, None, None]:
        """The moments of a stream, one a frame, in order. Ends with the stream; then `summary` is complete.

        Leaving the loop early and closing the generator ends it cleanly: the summary holds what was seen until then.

        Raises:
            MienError: what the stream raised, such as `camera_unreachable`; the events of the end come first.
            UsageError: `start_missing`: with `visitors`, a recording of unknown time.
        """
        following = self._following = self._begin(video)
        start = time.perf_counter()
        # Twice as many threads as calls side by side: no call waits for what Python does before and after another.
        look_ahead = LookAhead(self._looks, 2 * self._ahead)
        try:
            with closing(look_ahead(video)) as looked:
                for frame, found in looked:
                    if following.last is None:
                        self._check_clock(frame)
                    moment = following.step(frame, found)
                    self.summary.frames += 1
                    yield moment
                    self.summary.seconds = time.perf_counter() - start
            end = following.finish()
            if end is not None:
                yield end
            if look_ahead.broken is not None:
                raise look_ahead.broken
        finally:
            self.summary.dropped = video.dropped
            self.summary.extractions = self._recognizer.extractions if self._recognizer else 0
            self.summary.extractions += self._people.extractions if self._people else 0
            self.summary.visits = self._visits.summary() if self._visits else None
            self.summary.seconds = time.perf_counter() - start

    def extractions(self, track_id: int) -> int:
        """Features that were extracted for a face track that has not ended."""
        return self._following.extractions(track_id)

    def _check_clock(self, frame: Frame) -> None:
        if self._visitors is not None and frame.utc is None:
            raise UsageError(
                "visitors of other runs are known again by when they came, and this recording does not say when it "
                "was made; say it with --start UTC",
                code="start_missing",
            )

    def _begin(self, video: Stream) -> Following:
        ids = count(1)
        teller = Teller(self.summary, stream_name(video), self._is_watch_list)
        faces = FaceTracks(video.frame_rate, ids, self._recognizer) if self._has_faces else None
        self._people: PersonTracks | None = None
        self._visits: TrackVisits | None = None
        if self._zones is not None and self._body_embedder is not None:
            self._visits = TrackVisits(self._body_embedder, self._visitors)
            self._people = PersonTracks(
                video.frame_rate,
                ids,
                self._body_embedder,
                self._zones,
                teller,
                moving_camera=self._moving_camera,
                visits=self._visits,
            )
        return Following(video, self.summary, teller, faces, self._people, ages=self._ages)
