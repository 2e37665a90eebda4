"""One identity space over several cameras: tracklets in, people out; every decision is recorded and can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mien.cameras.appearance import Appearance
from mien.cameras.evidence import TravelEvidence
from mien.cameras.groups import last_of_each, mean_of_two
from mien.cameras.merges import Merge, Merges
from mien.cameras.recent import Recent, Tracklet
from mien.cameras.topology import Topology
from mien.errors import UsageError, nearest

Float64 = NDArray[np.float64]
CAPACITY = 4096
"""Tracklets whose features are kept at most."""

RATE_SECONDS = 30.0
"""Over how long the rate is taken at which people appear."""

SAME_SUBJECT = float(np.log(100))
"""Of faces that belong to nobody of a collection with one subject one in a hundred is taken for it, as is asked for."""

_FORGET_EVERY = 256

HISTORY_SECONDS = 24 * 3600.0
"""How long people and their ways stay in the table, without features, after they were last seen."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whom a tracklet shows.

    Attributes:
        tracklet: its number, counting from 1.
        person: who it is; named by the person's first tracklet.
        confidence: probability in [0, 1] of this answer among all that were possible.
        merge: how it was joined to somebody who was there before; None for a new person.
        subject: the person's name, from a face that was recognized in any camera; None where none was.
        came_from: the camera in which that person was last seen, and `seconds` from then to now; None for a new one.
    """

    tracklet: int
    person: int
    confidence: float
    merge: Merge | None = None
    subject: str | None = None
    came_from: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Visit:
    """What stays in the table of a tracklet; its feature does not."""

    camera: str
    start: float
    end: float
    key: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class Stay:
    """One row of the table of trajectories: a person in a camera from `start` to `end` seconds."""

    person: int
    tracklet: int
    camera: str
    start: float
    end: float
    key: str
    merge: Merge | None


class Identities:
    """Gives each tracklet a person; not thread-safe.

    Everybody who is remembered is expected to appear again, in cameras and after times that the topology says; new
    people appear in any camera, at the rate at which people appear just now: many people at once make chance meetings
    likely. Each possibility is weighed by how much the new tracklet looks like the person (mean of the two most similar
    of their tracklets), the most probable is taken, and its probability is the confidence. Two tracklets of one camera
    that overlap in time are never one person, nor are two whose faces were recognized as different subjects.

    Args:
        topology: cameras and ways; see `mien.cameras.topology`.
        appearance: calibration of the embedder that made the vectors.
        use_travel: time and topology count; otherwise appearance alone, and everybody is expected alike.
        capacity: tracklets whose features are kept, at least 1.
        same_subject: nats by which it speaks for one person that two faces were recognized as one subject.

    Raises:
        UsageError: `capacity_out_of_range`.
    """

    def __init__(
        self,
        topology: Topology,
        appearance: Appearance,
        *,
        use_travel: bool = True,
        capacity: int = CAPACITY,
        same_subject: float = SAME_SUBJECT,
    ) -> None:
        if capacity < 1:
            raise UsageError(f"capacity is {capacity}; keep 1 tracklet at least", code="capacity_out_of_range")
        self.topology = topology
        self._appearance = appearance
        self._travel = TravelEvidence(topology) if use_travel else None
        self._recent = Recent(capacity)
        self._merges = Merges()
        self._visits: dict[int, _Visit] = {}
        self._same_subject = same_subject
        self._next = 1

    @property
    def people(self) -> list[int]:
        """Everybody in the table, by name, ascending."""
        return self._merges.people

    @property
    def merges(self) -> list[Merge]:
        """The merges that hold, oldest first."""
        return self._merges.merges

    @property
    def remembered(self) -> list[Tracklet]:
        """The tracklets whose features are still kept, on the common clock, without their keys."""
        recent, names = self._recent, self.topology.names
        columns = zip(
            recent.cameras.tolist(), recent.starts.tolist(), recent.ends.tolist(), recent.vectors, strict=True
        )
        return [Tracklet(names[camera], start, end, vector.copy()) for camera, start, end, vector in columns]

    def add(self, tracklet: Tracklet, *, now: float | None = None) -> Decision:
        """Decides whom a tracklet shows.

        Args:
            tracklet: complete; its times are its camera's own, the camera's clock offset is added here. Tracklets come
                about in the order of their ends.
            now: the time from which ages are counted, None for the tracklet's end. Where clocks cannot be trusted give
                the time of arrival: one that is an hour ahead would make all others look forgotten.

        Raises:
            UsageError: `camera_unknown`, `tracklet_invalid`.
        """
        camera = self._check(tracklet)
        offset = self.topology.cameras[camera].clock_offset
        tracklet = replace(tracklet, start=tracklet.start + offset, end=tracklet.end + offset)
        now = tracklet.end if now is None else now
        self._recent.forget(now - self.topology.memory)
        if self._next % _FORGET_EVERY == 0:
            self._forget_people(now - max(HISTORY_SECONDS, self.topology.memory))
        number, self._next = self._next, self._next + 1
        self._merges.add(number)
        self._visits[number] = _Visit(tracklet.camera, tracklet.start, tracklet.end, tracklet.key, tracklet.subject)
        decision = self._decide(number, camera, tracklet)
        self._recent.add(number, camera, tracklet)
        return replace(decision, subject=self.subject_of(decision.person))

    def join(self, first: int, second: int) -> Merge:
        """Somebody says that two people are one; recorded as a merge by hand.

        Raises:
            UsageError: `person_unknown`, `already_merged`.
        """
        earlier, later = (self._merges.members(person)[0] for person in sorted((first, second)))
        return self._merges.join(earlier, later, confidence=1.0, by_hand=True)

    def undo(self, merge_id: int) -> tuple[int, int]:
        """Takes a merge back; everything is as if it had never been made. Returns the two people that there are now.

        Raises:
            UsageError: `merge_unknown`.
        """
        merge = self._merges.undo(merge_id)
        return self._merges.person(merge.earlier), self._merges.person(merge.later)

    def person_of(self, tracklet: int) -> int:
        """Who a tracklet shows, as is known now.

        Raises:
            UsageError: `tracklet_unknown`.
        """
        return self._merges.person(tracklet)

    def subject_of(self, person: int) -> str | None:
        """A person's name: as whom most of their tracklets were recognized, the later one of two; None without any.

        Raises:
            UsageError: `person_unknown`.
        """
        return most_named([self._visits[number].subject for number in self._merges.members(person)])

    def trajectory(self, person: int) -> list[Stay]:
        """A person's way through the cameras, in the order of time.

        Raises:
            UsageError: `person_unknown`.
        """
        stays = []
        for number in self._merges.members(person):
            seen = self._visits[number]
            merge = self._merges.merge_of(number)
            stays.append(Stay(person, number, seen.camera, seen.start, seen.end, seen.key, merge))
        return sorted(stays, key=lambda stay: (stay.start, stay.tracklet))

    def _decide(self, number: int, camera: int, tracklet: Tracklet) -> Decision:
        recent = self._recent
        people, who = np.unique(
            np.array([self._merges.person(known) for known in recent.numbers.tolist()], np.int64), return_inverse=True
        )
        together = (recent.cameras == camera) & (recent.starts < tracklet.end) & (recent.ends > tracklet.start)
        possible = np.bincount(who, together, len(people)) == 0
        named = np.zeros(len(people))
        if tracklet.subject is not None:
            subjects = [self.subject_of(person) for person in people.tolist()]
            named = np.array([self._same_subject if name == tracklet.subject else 0.0 for name in subjects])
            possible &= np.array([name in (None, tracklet.subject) for name in subjects], np.bool_)
        if not possible.any():
            return Decision(number, number, 1.0)
        similarity = mean_of_two(who, (recent.vectors @ tracklet.vector).astype(np.float64))
        appearance = self._appearance.evidence(similarity)
        latest = last_of_each(who, recent.ends)
        gaps = tracklet.start - recent.ends[latest]
        travel = np.full(len(people), -np.log(possible.sum()))
        newcomer = 0.0
        if self._travel is not None:
            rate = (1 + int((recent.ends >= tracklet.end - RATE_SECONDS).sum())) / RATE_SECONDS
            newcomer = np.log(rate / len(self.topology.cameras))
            travel = self._travel(recent.cameras[latest], camera, gaps)
        returning = self.topology.returning
        newcomer += np.log(1 - returning)
        score = np.where(possible, np.log(returning) + travel + appearance + named, -np.inf)
        choice = int(score.argmax())
        top = max(float(score[choice]), newcomer)
        confidence = float(1 / (np.exp(score - top).sum() + np.exp(newcomer - top)))
        if score[choice] <= newcomer:
            return Decision(number, number, confidence)
        merge = self._merges.join(
            int(recent.numbers[latest[choice]]),
            number,
            confidence=confidence,
            appearance=float(appearance[choice] + named[choice]),
            travel=float(np.log(returning) + travel[choice] - newcomer),
        )
        came_from = self.topology.cameras[recent.cameras[latest[choice]]].name
        person = self._merges.person(number)
        return Decision(number, person, confidence, merge, came_from=came_from, seconds=float(gaps[choice]))

    def _forget_people(self, before: float) -> None:
        """Those who were last seen before a time leave the table, with all that was decided about them."""
        gone = [
            person
            for person in self._merges.people
            if max(self._visits[number].end for number in self._merges.members(person)) < before
        ]
        for person in gone:
            for number in self._merges.members(person):
                del self._visits[number]
        self._merges.forget(gone)

    def _check(self, tracklet: Tracklet) -> int:
        """The index of a tracklet's camera."""
        names = self.topology.names
        if tracklet.camera not in names:
            raise UsageError(
                f"there is no camera {tracklet.camera!r}{nearest(tracklet.camera, names)}", code="camera_unknown"
            )
        dimension = self._recent.dimension
        vector = tracklet.vector
        if not (
            -np.inf < tracklet.start <= tracklet.end < np.inf
            and vector.ndim == 1
            and (dimension is None or len(vector) == dimension)
            and np.isclose(vector @ vector, 1, atol=1e-3)
        ):
            raise UsageError(
                f"tracklet {tracklet.key!r} in {tracklet.camera!r}: times {tracklet.start} to {tracklet.end}, vector "
                f"{vector.shape} of length {float(np.linalg.norm(vector)):g}; expected finite rising times and "
                f"an L2-normalized vector{'' if dimension is None else f' ({dimension},)'}",
                code="tracklet_invalid",
            )
        return names.index(tracklet.camera)


def most_named(subjects: Sequence[str | None]) -> str | None:
    """The name that is there most often, the later one of two; None where there is no name.

    Example:
        >>> most_named(["ada", None, "bob", "bob"]), most_named(["ada", "bob"]), most_named([None])
        ('bob', 'bob', None)
    """
    names = [name for name in subjects if name is not None]
    return max(reversed(names), key=names.count, default=None)
