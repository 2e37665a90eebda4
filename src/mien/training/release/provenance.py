"""What a network was taught with: the sets and teachers that its recipe names, and on what terms."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mien.models.catalogue import Model, default, model
from mien.training.parts import named
from mien.training.readers.terms import UNKNOWN, Terms
from mien.training.recipe import Recipe

_READERS = "mien.training.readers."


@dataclass(frozen=True, slots=True)
class TaughtBy:
    """Where a network's knowledge comes from.

    Attributes:
        sets: terms of each set, in the recipe's order, each once.
        teachers: models of the catalogue whose answers it learned.
        start: the weights that it started from, as the recipe names them, or None.
    """

    sets: tuple[Terms, ...]
    teachers: tuple[Model, ...]
    start: str | None

    @property
    def research_only(self) -> bool:
        """Whether one of the sets is for research only, so that the weights are, too."""
        return any(terms.research_only for terms in self.sets)

    @property
    def data(self) -> str:
        """The catalogue's `training_data`."""
        words = "; ".join(terms.title for terms in self.sets)
        if self.teachers:
            words += "; answers of " + ", ".join(teacher.name for teacher in self.teachers)
        return words

    @property
    def terms(self) -> str:
        """The catalogue's `training_terms`."""
        words = [f"{terms.title}: {terms.terms}" for terms in self.sets]
        words += [
            f"teacher {teacher.name}: {teacher.licence} (terms of its own training data: {teacher.training_terms})"
            for teacher in self.teachers
        ]
        words += [f"started from {self.start}, whose terms hold too"] if self.start else []
        return ("research only; " if self.research_only else "") + "; ".join(words)


def taught_by(recipe: Recipe) -> TaughtBy:
    """Looks through a recipe's data; what is kept for measuring (`[evaluation]`) has taught nothing."""
    sets: dict[Terms, None] = {}
    teachers: dict[str, Model] = {}
    for part in _parts(recipe.data):
        if part["class"].startswith(_READERS):
            sets[_terms(part["class"])] = None
        for teacher in _teachers(part):
            teachers[teacher.name] = teacher
    return TaughtBy(tuple(sets) or (UNKNOWN,), tuple(teachers.values()), recipe.start_from)


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every table with a class, the outer ones first."""
    if isinstance(value, Mapping):
        if "class" in value:
            yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)


def _terms(path: str) -> Terms:
    terms: Terms = getattr(importlib.import_module(path.rpartition(".")[0]), "TERMS", UNKNOWN)
    return terms


def _teachers(part: Mapping[str, Any]) -> list[Model]:
    """The models that a part asks: its argument `teacher` (a face detector's name, None being the pack's) or
    `teachers`; of `mien.training.data.teacher.Teacher` itself its name."""
    if part["class"] == "mien.training.data.teacher.Teacher":
        return [model(part["name"])]
    wanted = inspect.signature(named(part["class"], "data")).parameters
    if "teachers" in wanted:
        return [model(name) for name in part.get("teachers", wanted["teachers"].default)]
    if "teacher" in wanted and not isinstance(part.get("teacher"), Mapping):
        name = part.get("teacher")
        return [model(name) if name else default("face-detection")]
    return []
