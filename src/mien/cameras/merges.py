"""Which sightings are one person: a forest of recorded merges, each of which can be undone at any time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mien.errors import UsageError


@dataclass(frozen=True, slots=True)
class Merge:
    """The decision that two tracklets show one person.

    Attributes:
        merge_id: counts from 1; never given again.
        earlier, later: numbers of the two tracklets, `earlier < later`.
        confidence: probability in [0, 1] that it is right; 1 where a person decided it.
        appearance, travel: nats by which the looks, and time and place, spoke for it rather than for somebody new; 0
            where a person decided it.
        by_hand: a person decided it.
    """

    merge_id: int
    earlier: int
    later: int
    confidence: float
    appearance: float = 0.0
    travel: float = 0.0
    by_hand: bool = False


class Merges:
    """Tracklets by number, joined to people by merges.

    The merges are the edges of a forest whose trees are people, named by their lowest tracklet. Taking an edge out
    splits one tree in two and touches nothing else; so undoing a merge restores exactly what would be without it,
    whatever came in between.

    Example:
        >>> merges = Merges()
        >>> for number in (1, 2, 3):
        ...     merges.add(number)
        >>> first = merges.join(1, 2, confidence=0.9)
        >>> _ = merges.join(2, 3, confidence=0.8)
        >>> merges.members(1)
        [1, 2, 3]
        >>> merges.undo(first.merge_id).later
        2
        >>> merges.members(1), merges.members(2)
        ([1], [2, 3])
    """

    def __init__(self) -> None:
        self._edges: dict[int, dict[int, int]] = {}  # tracklet -> neighbour -> merge
        self._person: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self._merges: dict[int, Merge] = {}
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._person)

    @property
    def people(self) -> list[int]:
        """The people, by name, ascending."""
        return sorted(self._members)

    @property
    def merges(self) -> list[Merge]:
        """The merges that hold, oldest first."""
        return [self._merges[number] for number in sorted(self._merges)]

    def add(self, tracklet: int) -> None:
        """A tracklet that is a person of its own."""
        if tracklet in self._person:
            raise UsageError(f"tracklet {tracklet} is there already; give each a new number", code="tracklet_known")
        self._edges[tracklet] = {}
        self._person[tracklet] = tracklet
        self._members[tracklet] = [tracklet]

    def person(self, tracklet: int) -> int:
        """The person that a tracklet shows.

        Raises:
            UsageError: `tracklet_unknown`.
        """
        self._check(tracklet)
        return self._person[tracklet]

    def members(self, person: int) -> list[int]:
        """The tracklets of a person, ascending.

        Raises:
            UsageError: `person_unknown`.
        """
        if person not in self._members:
            raise UsageError(
                f"there is no person {person}; they may have been merged or forgotten", code="person_unknown"
            )
        return list(self._members[person])

    def merge_of(self, tracklet: int) -> Merge | None:
        """The merge by which a tracklet was joined to an earlier one; None for one that began a person."""
        self._check(tracklet)
        found = [self._merges[number] for number in self._edges[tracklet].values()]
        return min(
            (merge for merge in found if merge.later == tracklet), key=lambda merge: merge.merge_id, default=None
        )

    def join(
        self,
        first: int,
        second: int,
        *,
        confidence: float,
        appearance: float = 0.0,
        travel: float = 0.0,
        by_hand: bool = False,
    ) -> Merge:
        """Records that two tracklets show one person; their people become one.

        Raises:
            UsageError: `tracklet_unknown`, or `already_merged`: they are one person already.
        """
        one, other = self.person(first), self.person(second)
        if one == other:
            raise UsageError(f"tracklets {first} and {second} are the same person already", code="already_merged")
        merge = Merge(self._next_id, min(first, second), max(first, second), confidence, appearance, travel, by_hand)
        self._next_id += 1
        self._merges[merge.merge_id] = merge
        self._edges[first][second] = self._edges[second][first] = merge.merge_id
        self._rename(min(one, other), self._members.pop(max(one, other)) + self._members.pop(min(one, other)))
        return merge

    def undo(self, merge_id: int) -> Merge:
        """Takes a merge back: the people are as if it had never been made.

        Raises:
            UsageError: `merge_unknown`: there is none with this number, or it was undone before.
        """
        merge = self._merges.pop(merge_id, None)
        if merge is None:
            raise UsageError(f"there is no merge {merge_id} that could be undone", code="merge_unknown")
        del self._edges[merge.earlier][merge.later]
        del self._edges[merge.later][merge.earlier]
        del self._members[self._person[merge.earlier]]
        for end in (merge.earlier, merge.later):
            tree = self._tree(end)
            self._rename(min(tree), tree)
        return merge

    def forget(self, people: Iterable[int]) -> None:
        """Drops whole people with their tracklets and merges."""
        gone = {tracklet for person in people for tracklet in self._members.pop(person)}
        for tracklet in gone:
            for merge_id in self._edges.pop(tracklet).values():
                self._merges.pop(merge_id, None)
            del self._person[tracklet]

    def _tree(self, start: int) -> list[int]:
        reached, waiting = {start}, [start]
        while waiting:
            new = self._edges[waiting.pop()].keys() - reached
            reached |= new
            waiting += new
        return list(reached)

    def _rename(self, person: int, tracklets: list[int]) -> None:
        self._members[person] = sorted(tracklets)
        for tracklet in tracklets:
            self._person[tracklet] = person

    def _check(self, tracklet: int) -> None:
        if tracklet not in self._person:
            raise UsageError(f"there is no tracklet {tracklet}; it may have been forgotten", code="tracklet_unknown")
