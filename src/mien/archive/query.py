"""Who is looked for: the person of a picture."""

from __future__ import annotations

import os
from dataclasses import dataclass

import cv2
import numpy as np

from mien.errors import BadInputError
from mien.geometry import box_area
from mien.media.files import shown
from mien.media.image import read
from mien.person.crop import body_crop
from mien.person.detector import PersonDetector
from mien.person.embedder import PersonEmbedder
from mien.records import Float32, Image, Person

_UPRIGHT = (1.6, 4.5)
"""Height by width of a picture that may be the crop of one body."""
_FILLED = 0.5
"""Share of such a picture that a body must fill for the whole picture to be taken, as data sets cut them."""
_MARGIN = 0.25
"""Of the longer side: room around a picture in which nobody was found. Detectors miss bodies that fill it."""
_GREY = 114
_SURE, WEAK = 0.5, 0.2
"""Least confidence of a person; of one who fills an upright picture, the second."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """Who is looked for.

    Attributes:
        vector: the person's look, float32 `(D,)`, L2-normalized.
        image: the body, RGB uint8 `(H, W, 3)`.
        people: how many people were found in the picture.
    """

    vector: Float32
    image: Image
    people: int


def query_of(picture: str | os.PathLike[str], embedder: PersonEmbedder, detector: PersonDetector) -> Query:
    """The largest person of a picture, or the whole picture where it is the crop of a body.

    The detector's least score is to be `WEAK`.

    Raises:
        BadInputError: the picture cannot be read, or `person_missing`.
    """
    image = read(picture)
    people = _people(image, detector)
    if not people:
        raise BadInputError(
            f"{shown(picture)}: no person was found; give a picture in which a whole body is seen, or a crop of one",
            code="person_missing",
        )
    body = _body(image, people[0])
    return Query(embedder.vectors([body])[0], body, len(people))


def _people(image: Image, detector: PersonDetector) -> list[Person]:
    """Largest first; looked for once more with room around where nobody was found."""
    people = _convincing(image, detector(image))
    if not people:
        margin = round(max(image.shape[:2]) * _MARGIN)
        roomy = cv2.copyMakeBorder(
            image, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(_GREY, _GREY, _GREY)
        )
        found = detector(np.asarray(roomy, np.uint8))
        people = _convincing(image, [Person(person.box - np.float32(margin), person.score) for person in found])
    return sorted(people, key=lambda person: -float(box_area(person.box)))


def _convincing(image: Image, people: list[Person]) -> list[Person]:
    return [person for person in people if person.score >= (WEAK if _is_crop(image, person) else _SURE)]


def _inside(image: Image, person: Person) -> Float32:
    height, width = image.shape[:2]
    return np.clip(person.box, 0, np.array([width, height, width, height])).astype(np.float32)


def _is_crop(image: Image, person: Person) -> bool:
    """Whether a picture shows little but this body."""
    height, width = image.shape[:2]
    filled = float(box_area(_inside(image, person))) / (height * width)
    return _UPRIGHT[0] <= height / width <= _UPRIGHT[1] and filled >= _FILLED


def _body(image: Image, person: Person) -> Image:
    if _is_crop(image, person):
        return image
    inside = _inside(image, person)
    left, top, right, bottom = inside.round().astype(int).tolist()
    return body_crop(image, inside, max(1, bottom - top), max(1, right - left))
