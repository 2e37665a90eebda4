"""How many different people came, how often, and how many of them came back: tracks in, visitors out, one at a time."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.records import Float32

Sex = Literal["male", "female"]

SAME_PERSON = 0.55
"""Least cosine between a track and a person for person-reidentification-retail-0277. Chosen on 80 training identities
of Market-1501, a track being the mean of one camera's pictures: 93 to 96% of the pairs of tracks of one person are
joined, 95 to 97% of the pairs that are joined are of one person, and 88 to 92 people are counted."""
RETURN_SECONDS = 300.0
"""Away for so long or longer, somebody who is seen again has come back; within it the visit goes on."""
_SHARED_SECONDS = 0.5
"""Two tracks that are seen together for longer are two people, however alike they are."""
_MOST_TRACKS = 16
"""Latest tracks of a person that are remembered with their times."""
_AGES = (18, 35, 55)
"""Borders of the groups of ages in years."""


@dataclass(slots=True, eq=False)
class Visitor:
    """One person.

    Attributes:
        number: of the person, from 1.
        feature: float64 `(D,)`, sum of the tracks' features weighted by quality.
        spans: begin and end in seconds of the latest tracks.
        visits, seconds: how often the person came, and for how long they were seen in all.
        last: seconds at which the person was last seen.
        sexes: votes of the tracks; `ages`: sum and number of the ages they gave.
        is_staff: one of the tracks was recognized as staff.
    """

    number: int
    feature: NDArray[np.float64]
    spans: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST_TRACKS))
    visits: int = 0
    seconds: float = 0.0
    last: float = -np.inf
    sexes: Counter[Sex] = field(default_factory=Counter)
    ages: tuple[float, int] = (0.0, 0)
    is_staff: bool = False


class Visits:
    """Tells people apart by the features of their bodies, as their tracks end.

    A track belongs to the person whose mean feature is most similar, if similar enough, and if that person was not
    seen at the same time in another track. Memory is bounded: of more people than `most`, those who were seen longest
    ago are only counted from then on.

    Args:
        threshold: least cosine in [-1, 1] between a track and a person; it goes with the embedder.
        most: people >= 1 whose features are kept.

    Raises:
        UsageError: `visits_argument_invalid`.

    Example:
        >>> visits, ada = Visits(threshold=0.6), np.array([1, 0], np.float32)
        >>> [visits.add(ada, began=0, ended=9), visits.add(ada, began=900, ended=950)]
        [1, 1]
        >>> visits.add(np.array([0, 1], np.float32), began=20, ended=30)
        2
        >>> {name: visits.summary()[name] for name in ("visits", "visitors", "returning")}
        {'visits': 3, 'visitors': 2, 'returning': 1}
    """

    def __init__(self, *, threshold: float = SAME_PERSON, most: int = 10_000) -> None:
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
    ) -> int:
        """Takes a track that has ended.

        Args:
            vector: its feature, float32 `(D,)`, L2-normalized; always of the same embedder.
            began, ended: seconds of its first and last frame.
            quality: weight > 0 of the feature among the person's.
            sex, age: as told by the face, where one was seen.
            is_staff: the track was recognized as somebody who is no visitor; so is the person, in all their tracks.

        Returns:
            The person's number, from 1.
        """
        at = self._match(vector, began, ended)
        if at is None:
            at = self._new(len(vector))
        person = self._people[at]
        person.feature += max(quality, 1e-3) * vector.astype(np.float64)
        if began - person.last >= RETURN_SECONDS:
            person.visits += 1
        person.last = max(person.last, ended)
        person.seconds += ended - began
        person.spans.append((began, ended))
        if sex is not None:
            person.sexes[sex] += 1
        if age is not None:
            person.ages = person.ages[0] + age, person.ages[1] + 1
        person.is_staff |= is_staff
        self._means[at] = person.feature / max(float(np.linalg.norm(person.feature)), 1e-12)
        return person.number

    def summary(self) -> dict[str, Any]:
        """Totals without staff: `visits` (person times), `visitors` (persons), `returning` (those who came again),
        `mean_seconds` (seen, a visit), the split by `sex` and `age`, and `staff` (persons who were left out)."""
        totals, seconds = self._totals.copy(), self._seconds
        for person in self._people:
            totals += _count(person)
            seconds += 0.0 if person.is_staff else person.seconds
        youngest = ["0", *(str(border) for border in _AGES)]
        ages = [f"{low}-{high - 1}" for low, high in zip(youngest, _AGES, strict=False)] + [f"{_AGES[-1]}+"]
        return {
            "visits": totals["visits"],
            "visitors": totals["visitors"],
            "returning": totals["returning"],
            "mean_seconds": round(seconds / totals["visits"], 3) if totals["visits"] else None,
            "sex": {name: totals[f"sex {name}"] for name in ("male", "female", "unknown")},
            "age": {name: totals[f"age {at}"] for at, name in enumerate(ages)} | {"unknown": totals["age unknown"]},
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

    def _new(self, dimension: int) -> int:
        if len(self._people) >= self._most:
            self._forget()
        if len(self._people) == len(self._means):
            more = np.zeros((max(64, len(self._means)), dimension), np.float32)
            self._means = np.concatenate([self._means.reshape(-1, dimension), more])
        self._count += 1
        self._people.append(Visitor(self._count, np.zeros(dimension)))
        return len(self._people) - 1

    def _forget(self) -> None:
        """Only counts, from now on, the tenth of the people who were seen longest ago."""
        order = np.argsort([person.last for person in self._people], kind="stable")
        gone = set(order[: max(1, len(order) // 10)].tolist())
        for at in gone:
            self._totals += _count(self._people[at])
            self._seconds += 0.0 if self._people[at].is_staff else self._people[at].seconds
        kept = [at for at in range(len(self._people)) if at not in gone]
        self._means[: len(kept)] = self._means[kept]
        self._people = [self._people[at] for at in kept]


def _count(person: Visitor) -> Counter[str]:
    """What one person adds to the totals."""
    if person.is_staff:
        return Counter(staff=1)
    votes = person.sexes.most_common(2)
    is_told = bool(votes) and (len(votes) == 1 or votes[0][1] > votes[1][1])
    total, number = person.ages
    group = str(sum(total / number >= border for border in _AGES)) if number else "unknown"
    return Counter(
        {
            "visits": person.visits,
            "visitors": 1,
            "returning": int(person.visits > 1),
            f"sex {votes[0][0] if is_told else 'unknown'}": 1,
            f"age {group}": 1,
        }
    )
