"""One identity space over several cameras: tracklets in, people out; every decision is recorded and can be undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.cameras.appearance import Appearance
from mien.cameras.evidence import TravelEvidence
from mien.cameras.merges import Merge, Merges
from mien.cameras.recent import Recent, Tracklet
from mien.cameras.topology import Topology
from mien.errors import UsageError
from mien.scene.zone_messages import nearest

Float64 = NDArray[np.float64]
CAPACITY = 4096
"""Tracklets whose features are kept at most."""

RATE_SECONDS = 30.0
"""Over how long the rate is taken at which people appear."""

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
        came_from: the camera in which that person was last seen, and `seconds` from then to now; None for a new one.
    """

    tracklet: int
    person: int
    confidence: float
    merge: Merge | None = None
    came_from: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Visit:
    """What stays in the table of a tracklet; its feature does not."""

    camera: str
    start: float
    end: float
    key: str


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
    that overlap in time are never one person.

    Args:
        topology: cameras and ways; see `mien.cameras.topology`.
        appearance: calibration of the embedder that made the vectors.
        use_travel: time and topology count; otherwise appearance alone, and everybody is expected alike.
        capacity: tracklets whose features are kept, at least 1.

    Raises:
        UsageError: `capacity_out_of_range`.
    """

    def __init__(
        self, topology: Topology, appearance: Appearance, *, use_travel: bool = True, capacity: int = CAPACITY
    ) -> None:
        if capacity < 1:
            raise UsageError(f"capacity is {capacity}; keep 1 tracklet at least", code="capacity_out_of_range")
        self.topology = topology
        self._appearance = appearance
        self._travel = TravelEvidence(topology) if use_travel else None
        self._recent = Recent(capacity)
        self._merges = Merges()
        self._visits: dict[int, _Visit] = {}
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
        self._visits[number] = _Visit(tracklet.camera, tracklet.start, tracklet.end, tracklet.key)
        decision = self._decide(number, camera, tracklet)
        self._recent.add(number, camera, tracklet)
        return decision

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
        if not possible.any():
            return Decision(number, number, 1.0)
        similarity = mean_of_two(who, (recent.vectors @ tracklet.vector).astype(np.float64))
        appearance = self._appearance.evidence(similarity)
        latest = _last_of_each(who, recent.ends)
        gaps = tracklet.start - recent.ends[latest]
        travel = np.full(len(people), -np.log(possible.sum()))
        newcomer = 0.0
        if self._travel is not None:
            rate = (1 + int((recent.ends >= tracklet.end - RATE_SECONDS).sum())) / RATE_SECONDS
            newcomer = np.log(rate / len(self.topology.cameras))
            travel = self._travel(recent.cameras[latest], camera, gaps)
        returning = self.topology.returning
        newcomer += np.log(1 - returning)
        score = np.where(possible, np.log(returning) + travel + appearance, -np.inf)
        choice = int(score.argmax())
        top = max(float(score[choice]), newcomer)
        confidence = float(1 / (np.exp(score - top).sum() + np.exp(newcomer - top)))
        if score[choice] <= newcomer:
            return Decision(number, number, confidence)
        merge = self._merges.join(
            int(recent.numbers[latest[choice]]),
            number,
            confidence=confidence,
            appearance=float(appearance[choice]),
            travel=float(np.log(returning) + travel[choice] - newcomer),
        )
        came_from = self.topology.cameras[recent.cameras[latest[choice]]].name
        return Decision(number, self._merges.person(number), confidence, merge, came_from, float(gaps[choice]))

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


def _last_of_each(group: NDArray[np.intp], values: NDArray[Any]) -> NDArray[np.intp]:
    """The row with the largest of `values` `(N,)` in each group `(N,)`; the later row where two are equal."""
    order = np.lexsort((np.arange(len(values)), values, group))
    return order[np.flatnonzero(np.diff(group[order], append=-1))]


def mean_of_two(group: NDArray[np.intp], values: Float64) -> Float64:
    """Mean of the two largest values of each group, or the only one.

    Example:
        >>> mean_of_two(np.array([0, 1, 0, 0]), np.array([0.2, 0.9, 0.6, 0.4])).tolist()
        [0.5, 0.9]
    """
    order = np.lexsort((-values, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.minimum(np.diff(starts, append=len(order)), 2)
    ranked = values[order]
    return np.where(sizes == 2, (ranked[starts] + ranked[starts + sizes - 1]) / 2, ranked[starts])
