"""Composes the person analyzers: a picture in, its people with all that was asked for out."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

from mien.errors import UsageError
from mien.geometry import box_area
from mien.media.image import load
from mien.person.attributes import AttributeEstimator
from mien.person.detector import PersonDetector
from mien.person.embedder import PersonEmbedder
from mien.person.pose import PoseEstimator
from mien.records import Image, Person

Feature = Literal["attributes", "skeleton", "embedding"]
FEATURES: tuple[Feature, ...] = ("attributes", "skeleton", "embedding")


class PersonAnalyzer:
    """Finds and describes the people of pictures; load once, use often, from any thread.

    Args:
        features: what to find out beside box and score; `attributes` and `embedding` by default.
        detector, embedder: models of the catalogue; None takes the pack's.
        score: least confidence of a person, in [0, 1].

    Raises:
        UsageError: `feature_unknown`.

    Example:
        >>> people = PersonAnalyzer()("street.jpg")     # doctest: +SKIP
        >>> people[0].attributes.upper_colour           # doctest: +SKIP
        'blue'
    """

    def __init__(
        self,
        features: Iterable[Feature] = ("attributes", "embedding"),
        *,
        detector: str | None = None,
        embedder: str | None = None,
        score: float = 0.5,
    ) -> None:
        self.features = frozenset(features)
        if unknown := self.features - set(FEATURES):
            raise UsageError(
                f"unknown feature {sorted(unknown)[0]!r}; there are {', '.join(FEATURES)}", code="feature_unknown"
            )
        self.detector = PersonDetector(detector, score=score)
        self._embedder_name = embedder

    @cached_property
    def embedder(self) -> PersonEmbedder:
        """The embedder, loaded at first use."""
        return PersonEmbedder(self._embedder_name)

    @cached_property
    def _attributes(self) -> AttributeEstimator:
        return AttributeEstimator()

    @cached_property
    def _skeletons(self) -> PoseEstimator:
        return PoseEstimator()

    def __call__(self, source: Any, *, bgr: bool = False) -> list[Person]:
        """The people of one picture, largest first.

        Args:
            source: path, bytes, PIL picture, or uint8 array `(H, W, 3)`.
            bgr: the array is in OpenCV's order of channels.

        Raises:
            BadInputError: the picture cannot be read.
        """
        return self.timed(load(source, bgr=bgr))[0]

    def timed(self, image: Image) -> tuple[list[Person], dict[str, float]]:
        """The people of one RGB uint8 picture and the milliseconds that each stage took."""
        milliseconds: dict[str, float] = {}
        last = time.perf_counter()

        def lap(stage: str) -> None:
            nonlocal last
            now = time.perf_counter()
            milliseconds[stage], last = round((now - last) * 1e3, 2), now

        people = sorted(self.detector(image), key=lambda person: -float(box_area(person.box)))
        lap("person_detection")
        return self.complete(image, people, lap), milliseconds

    def complete(self, image: Image, people: list[Person], lap: Any = lambda stage: None) -> list[Person]:
        """Detected people with the features that this analyzer was made for."""
        if not people:
            return people
        if "embedding" in self.features:
            templates = self.embedder(image, people)
            people = [replace(person, template=template) for person, template in zip(people, templates, strict=True)]
            lap("person_embedding")
        if "attributes" in self.features:
            found = self._attributes(image, people)
            people = [replace(person, attributes=looks) for person, looks in zip(people, found, strict=True)]
            lap("attributes")
        if "skeleton" in self.features:
            skeletons = self._skeletons(image, people)
            people = [replace(person, skeleton=points) for person, points in zip(people, skeletons, strict=True)]
            lap("skeleton")
        return people
