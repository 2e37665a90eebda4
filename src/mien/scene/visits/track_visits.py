"""Tracks of bodies that end become visits: whose look it was, what their faces told, and when."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mien.person.embedder import PersonEmbedder
from mien.records import Float32, Frame
from mien.scene.recognizer import Trace
from mien.scene.visits.visitor_book import VisitorBook
from mien.scene.visits.visits import MEASURED, Sex, Visits

_log = logging.getLogger("mien.scene")


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """How a track looked: mean of its clear shots, float32 `(D,)`, L2-normalized, and how many they were, >= 1."""

    vector: Float32
    shots: int


class TrackVisits:
    """The visits of one stream.

    Args:
        embedder: made the looks.
        book: people of earlier runs, who are kept there; None knows only those of this run.
    """

    def __init__(self, embedder: PersonEmbedder, book: VisitorBook | None = None) -> None:
        threshold = MEASURED.get(embedder.name)
        self._visits: Visits | None = None
        if threshold is not None:
            known = () if book is None else book.people(embedder.name, embedder.fingerprint)
            self._visits = Visits(threshold=threshold, known=known)
        else:
            _log.warning(
                "visitors are not told apart: from which similarity on two looks of %s are one person was not measured",
                embedder.name,
            )
        self._book = book
        self._unclear = 0

    def ended(self, trace: Trace, look: Appearance | None, faces: Sequence[Trace], frame: Frame) -> dict[str, Any]:
        """Takes a track that has ended.

        Args:
            trace: of the body.
            look: None where it was never seen clearly; whose visit it was cannot be told then.
            faces: what is known of the faces that were joined to it.
            frame: the last one, whose clock says the time of day where the stream knows it.

        Returns:
            What its event `left` carries: `visitor` and `visit`, and `sex`, `age` and `staff` where they are known.
        """
        sex, age = _sex_and_age(faces)
        is_staff = any(face.is_staff for face in faces)
        facts: dict[str, Any] = {}
        if self._visits is not None and look is None:
            self._unclear += 1
        elif self._visits is not None and look is not None:
            clock = 0.0 if frame.utc is None else frame.utc.timestamp() - frame.time
            began, ended = clock + trace.began, clock + trace.seen
            visit = self._visits.add(
                look.vector, began=began, ended=ended, quality=look.shots, sex=sex, age=age, is_staff=is_staff
            )
            facts = {"visitor": visit.visitor, "visit": visit.number}
            self._keep(visit.visitor)
        if sex is not None and age is not None:
            facts |= {"sex": sex, "age": round(age, 1)}
        return facts | ({"staff": True} if is_staff else {})

    def summary(self) -> dict[str, Any] | None:
        """Totals as of `Visits.summary`, and `unclear`, tracks of which it cannot be told whose they were."""
        return None if self._visits is None else self._visits.summary() | {"unclear": self._unclear}

    def _keep(self, number: int) -> None:
        if self._book is None or self._visits is None:
            return
        person = self._visits.person(number)
        if person is not None:
            self._book.keep(person)
        self._visits.forget(self._book.expired())


def _sex_and_age(faces: Sequence[Trace]) -> tuple[Sex | None, float | None]:
    """Of the face that was read most often: the sex of most readings, the last and so best one's where they are even,
    and their mean age."""
    best = max((face.readings for face in faces), key=len, default=[])
    if not best:
        return None, None
    ages, sexes = zip(*best, strict=True)
    sex: Sex = max(("male", "female"), key=lambda name: (sexes.count(name), name == sexes[-1]))
    return sex, sum(ages) / len(ages)
