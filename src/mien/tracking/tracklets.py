"""What is remembered of the people of a stream, and of the tracklets that show them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

_NEWEST = 0.3
"""Weight of the newest clear shot in a person's look: light and sides of a walking person change within seconds."""


@dataclass(slots=True, eq=False)
class Known:
    """A person of the stream.

    Attributes:
        number: the person's track id.
        box: where last seen, `xyxy` `(4,)`.
        seen: frame of that.
        look: mean of the clear shots, newer ones counting more, L2-normalized `(D,)`; None before the first.
        total, shots: sum of the clear shots, `(D,)`, and how many they were.
        learnt: frame of the last clear shot.
        is_inside: was not at the picture's border when last seen: who is lost there went behind something.
        tracklet: shows this person now; None where that ended.
    """

    number: int
    box: Float64
    seen: int
    look: Float64 | None = None
    total: Float64 | None = None
    shots: int = 0
    learnt: int = 0
    is_inside: bool = True
    tracklet: Tracklet | None = None

    def learn(self, look: Float64, frame: int) -> None:
        """Takes in a clear shot, L2-normalized `(D,)`."""
        mean = look if self.look is None else (1 - _NEWEST) * self.look + _NEWEST * look
        self.look, self.learnt = mean / max(float(np.linalg.norm(mean)), 1e-12), frame
        self.total, self.shots = look if self.total is None else self.total + look, self.shots + 1


@dataclass(slots=True, eq=False)
class Group:
    """Tracklets that touched: each may show any of the people of the group."""

    tracklets: list[Tracklet] = field(default_factory=list)
    people: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Tracklet:
    """What a tracker followed without a gap that it could not bridge.

    Attributes:
        number: its id in the tracker.
        began: frame in which it was named there.
        person: whom it shows; None while that is not known.
        group: those it was confused with; None where there is no doubt.
        fresh: a clear shot since it is in doubt, L2-normalized `(D,)`; None before it.
        clear_since: frame of that.
        was_lost: it went on after it was not seen for a while: perhaps with somebody who came out at that place.
    """

    number: int
    began: int
    person: Known | None = None
    group: Group | None = None
    fresh: Float64 | None = None
    clear_since: int = 0
    was_lost: bool = False

    def show(self, person: Known | None) -> None:
        """From now on it is this person whom it shows."""
        if self.person is not None and self.person.tracklet is self:
            self.person.tracklet = None
        self.person = person
        if person is not None:
            if person.tracklet is not None and person.tracklet is not self:
                person.tracklet.person = None
            person.tracklet = self

    def leave(self) -> None:
        """There is no doubt about it any more."""
        if self.group is not None:
            self.group.tracklets.remove(self)
            if self.person is not None:
                self.group.people.discard(self.person.number)
        self.group, self.fresh, self.was_lost = None, None, False

    def doubt(self) -> None:
        """It went on after it was lost."""
        self.fresh, self.was_lost = None, True
        if self.group is None:
            self.group = Group([self], set() if self.person is None else {self.person.number})


def confuse(first: Tracklet, second: Tracklet) -> None:
    """Puts two tracklets that touch, and whoever they were confused with before, into one group."""
    if first.group is not second.group or first.group is None:
        group = Group()
        for tracklet in (first, second):
            old = tracklet.group or Group([tracklet])
            if len(old.tracklets) > len(group.tracklets):
                group, old = old, group
            group.tracklets += old.tracklets
            group.people |= old.people
            for moved in old.tracklets:
                moved.group = group
        group.people |= {one.person.number for one in (first, second) if one.person is not None}
    first.fresh = second.fresh = None
