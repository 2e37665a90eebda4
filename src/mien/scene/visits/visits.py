"""How many different people came, how often, and how many of them came back: tracks in, visitors out, one at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.records import Float32

Sex = Literal["male", "female"]

SAME_PERSON = 0.55
"""Least cosine between a track and a person for person-reidentification-retail-0277. Chosen on 80 training identities
of Market-1501, a track being the mean of one camera's pictures: 93 to 96% of the pairs of tracks of one person are
joined, 95 to 97% of the pairs that are joined are of one person, and 88 to 92 people are counted."""
MEASURED = {"person-reidentification-retail-0277": SAME_PERSON}
"""Embedders for which that cosine was measured; with another one visitors are not told apart."""
RETURN_SECONDS = 300.0
"""Away for so long or longer, somebody who is seen again has come back; within it the visit goes on."""
_SHARED_SECONDS = 0.5
"""Two tracks that are seen together for longer are two people, however alike they are."""
_MOST_TRACKS = 16
"""Latest tracks of a person that are remembered with their times."""
_AGES = (18, 35, 55)
"""Borders of the groups of ages in years."""
AGE_GROUPS = ("0-17", "18-34", "35-54", "55+")


class Visit(NamedTuple):
    """Whose track it was: the person's number, from 1, and which of their visits it belongs to, from 1."""

    visitor: int
    number: int


@dataclass(slots=True, eq=False)
class Visitor:
    """One person.

    Attributes:
        number: of the person, from 1.
        feature: float64 `(D,)`, sum of the tracks' features weighted by quality.
        spans: begin and end in seconds of the latest tracks.
        earlier: visits before this run, as far as they are remembered.
        visits, seconds: how often the person came in this run, and for how long they were seen in all of it.
        last: seconds at which the person was last seen, also before this run.
        sexes: votes of the tracks; `ages`: sum and number of the ages they gave.
        is_staff: one of the tracks was recognized as staff.
    """

    number: int
    feature: NDArray[np.float64]
    spans: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST_TRACKS))
    earlier: int = 0
    visits: int = 0
    seconds: float = 0.0
    last: float = -np.inf
    sexes: Counter[Sex] = field(default_factory=Counter)
    ages: tuple[float, int] = (0.0, 0)
    is_staff: bool = False

    @property
    def times(self) -> int:
        """How often the person came, as far as is remembered. A visit that an earlier run saw begin counts once."""
        return self.earlier + self.visits


class Visits:
    """Tells people apart by the features of their bodies, as their tracks end.

    A track belongs to the person whose mean feature is most similar, if similar enough, and if that person was not
    seen at the same time in another track. Memory is bounded: of more people than `most`, those who were seen longest
    ago are only counted from then on.

    Args:
        threshold: least cosine in [-1, 1] between a track and a person; it goes with the embedder.
        most: people >= 1 whose features are kept.
        known: people of earlier runs, on the same clock; they count only when they come again.

    Raises:
        UsageError: `visits_argument_invalid`.

    Example:
        >>> visits, ada = Visits(threshold=0.6), np.array([1, 0], np.float32)
        >>> [tuple(visits.add(ada, began=began, ended=began + 9)) for began in (0, 60, 900)]
        [(1, 1), (1, 1), (1, 2)]
        >>> visits.add(np.array([0, 1], np.float32), began=20, ended=30).visitor
        2
        >>> {name: visits.summary()[name] for name in ("visits", "visitors", "returning")}
        {'visits': 3, 'visitors': 2, 'returning': 1}
    """

    def __init__(self, *, threshold: float = SAME_PERSON, most: int = 10_000, known: Iterable[Visitor] = ()) -> None:
        if not -1 <= threshold <= 1 or most < 1:
            raise UsageError(
                f"threshold = {threshold}, most = {most}; give a cosine in [-1, 1] and at least one person",
                code="visits_argument_invalid",
            )
        self._threshold, self._most = threshold, most
        self._people: list[Visitor] = []
        self._means: Float32 = np.empty((0, 0), np.float32)
        self._count = 0
        self._totals: Counter[str] = Counter()
        self._seconds = 0.0
        for person in known:
            self._admit(person)

    def add(
        self,
        vector: Float32,
        *,
        began: float,
        ended: float,
        quality: float = 1.0,
        sex: Sex | None = None,
        age: float | None = None,
        is_staff: bool = False,
    ) -> Visit:
        """Takes a track that has ended.

        Args:
            vector: its feature, float32 `(D,)`, L2-normalized; always of the same embedder.
            began, ended: seconds of its first and last frame.
            quality: weight > 0 of the feature among the person's.
            sex, age: as told by the face, where one was seen.
            is_staff: the track was recognized as somebody who is no visitor; so is the person, in all their tracks.

        Returns:
            Whose track it is, and which of their visits.
        """
        at = self._match(vector, began, ended)
        if at is None:
            if len(self._people) >= self._most:
                self._count_only(self._oldest())
            at = self._admit(Visitor(self._count + 1, np.zeros(len(vector))))
        person = self._people[at]
        person.feature += max(quality, 1e-3) * vector.astype(np.float64)
        if began - person.last >= RETURN_SECONDS:
            person.visits += 1
        elif person.visits == 0:  # an earlier run saw this visit begin
            person.earlier, person.visits = person.earlier - 1, 1
        person.last = max(person.last, ended)
        person.seconds += ended - began
        person.spans.append((began, ended))
        if sex is not None:
            person.sexes[sex] += 1
        if age is not None:
            person.ages = person.ages[0] + age, person.ages[1] + 1
        person.is_staff |= is_staff
        self._means[at] = _direction(person.feature)
        return Visit(person.number, person.times)

    def person(self, number: int) -> Visitor | None:
        """What is known of a person; None where their feature is not kept any more."""
        return next((person for person in self._people if person.number == number), None)

    def forget(self, numbers: Iterable[int]) -> None:
        """People whose features may be kept no longer; they stay in the totals."""
        gone = set(numbers)
        self._count_only({at for at, person in enumerate(self._people) if person.number in gone})

    def summary(self) -> dict[str, Any]:
        """Totals without staff: `visits` (person times), `visitors` (persons), `returning` (those who came again),
        `mean_seconds` (seen, a visit), the split by `sex` and `age`, and `staff` (persons who were left out)."""
        totals, seconds = self._totals.copy(), self._seconds
        for person in self._people:
            totals += _count(person)
            seconds += 0.0 if person.is_staff else person.seconds
        return {
            "visits": totals["visits"],
            "visitors": totals["visitors"],
            "returning": totals["returning"],
            "mean_seconds": round(seconds / totals["visits"], 3) if totals["visits"] else None,
            "sex": {name: totals[f"sex {name}"] for name in ("male", "female", "unknown")},
            "age": {name: totals[f"age {name}"] for name in (*AGE_GROUPS, "unknown")},
            "staff": totals["staff"],
        }

    def _match(self, vector: Float32, began: float, ended: float) -> int | None:
        if not self._people:
            return None
        similarity = self._means[: len(self._people)] @ vector
        for at in np.argsort(-similarity, kind="stable"):
            if similarity[at] < self._threshold:
                return None
            spans = self._people[at].spans
            if all(min(ended, end) - max(began, start) <= _SHARED_SECONDS for start, end in spans):
                return int(at)
        return None

    def _admit(self, person: Visitor) -> int:
        if len(self._people) == len(self._means):
            dimension = len(person.feature)
            more = np.zeros((max(64, len(self._means)), dimension), np.float32)
            self._means = np.concatenate([self._means.reshape(-1, dimension), more])
        self._means[len(self._people)] = _direction(person.feature)
        self._count = max(self._count, person.number)
        self._people.append(person)
        return len(self._people) - 1

    def _oldest(self) -> set[int]:
        """The tenth of the people who were seen longest ago."""
        order = np.argsort([person.last for person in self._people], kind="stable")
        return set(order[: max(1, len(order) // 10)].tolist())

    def _count_only(self, gone: set[int]) -> None:
        """From now on these people are in the totals alone."""
        for at in gone:
            self._totals += _count(self._people[at])
            self._seconds += 0.0 if self._people[at].is_staff else self._people[at].seconds
        kept = [at for at in range(len(self._people)) if at not in gone]
        self._means[: len(kept)] = self._means[kept]
        self._means[len(kept) :] = 0  # a forgotten feature is not to be found in memory
        self._people = [self._people[at] for at in kept]


def age_group(age: float | None) -> str:
    """The group of an age in years: one of `AGE_GROUPS`, or `unknown`.

    Example:
        >>> age_group(34.9), age_group(None)
        ('18-34', 'unknown')
    """
    return "unknown" if age is None else AGE_GROUPS[sum(age >= border for border in _AGES)]


def most_told(sexes: Counter[Sex]) -> str:
    """The sex that most tracks told; `unknown` where none did, or as many told the other."""
    votes = sexes.most_common(2)
    is_told = bool(votes) and (len(votes) == 1 or votes[0][1] > votes[1][1])
    return votes[0][0] if is_told else "unknown"


def _direction(feature: NDArray[np.float64]) -> NDArray[np.float64]:
    return feature / max(float(np.linalg.norm(feature)), 1e-12)


def _count(person: Visitor) -> Counter[str]:
    """What one person adds to the totals."""
    if not person.visits:
        return Counter()
    if person.is_staff:
        return Counter(staff=1)
    total, number = person.ages
    return Counter(
        {
            "visits": person.visits,
            "visitors": 1,
            "returning": int(person.times > 1),
            f"sex {most_told(person.sexes)}": 1,
            f"age {age_group(total / number if number else None)}": 1,
        }
    )
