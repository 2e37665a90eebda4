"""Turns a person's body into a template: the feature, L2-normalized, bound to everything that shapes its space."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import cv2
import numpy as np

from mien.errors import UsageError
from mien.models.catalogue import Model, default, model
from mien.models.runtime import Session
from mien.person.crop import body_crop
from mien.records import Float32, Image, Person, Template
from mien.settings import settings

_TASK = "person-embedding"


class PersonEmbedder:
    """Features of bodies; safe to call from several threads.

    Args:
        name: a person-embedding model of the catalogue; None takes the pack's.

    Attributes:
        name: the model's name.
        dimension: length of a feature.
        size: height and width in pixels of a crop.
        fingerprint: 16 bytes; templates with different ones are never comparable.

    Raises:
        UsageError: `model_wrong_task`.
    """

    def __init__(self, name: str | None = None) -> None:
        entry = _entry(name)
        assert entry.dimension is not None
        assert entry.input.size is not None
        self.name = entry.name
        self.dimension = entry.dimension
        self.size = entry.input.size
        self.fingerprint = _fingerprint(entry)
        self._session = Session(entry)

    def __call__(self, image: Image, people: Sequence[Person]) -> list[Template]:
        """Templates of the people of one picture; their quality is the detector's score."""
        return self.embed([self.crop(image, person) for person in people], [person.score for person in people])

    def crop(self, image: Image, person: Person) -> Image:
        """The body, RGB uint8 `(256, 128, 3)`: small enough to keep while better shots are waited for."""
        return body_crop(image, person.box, *self.size)

    def embed(self, crops: Sequence[Image], qualities: Sequence[float]) -> list[Template]:
        """Templates of crops, RGB uint8 of any sizes; quality in [0, 1] goes with each."""
        if not crops:
            return []
        return [
            Template(vector=vector, fingerprint=self.fingerprint, quality=quality)
            for vector, quality in zip(self.vectors(crops), qualities, strict=True)
        ]

    def vectors(self, crops: Sequence[Image]) -> Float32:
        """Features `(B, D)`, L2-normalized, of crops, RGB uint8 `(H, W, 3)` each, of any sizes."""
        if not len(crops):
            return np.empty((0, self.dimension), np.float32)
        height, width = self.size
        fitting = [
            crop if crop.shape[:2] == self.size else cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)
            for crop in crops
        ]
        (output,) = self._session(np.stack(fitting).astype(np.uint8, copy=False)).values()
        features = output.reshape(len(crops), -1)
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        return (features / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)


def person_embedder_identity(name: str | None) -> tuple[str, bytes]:
    """Name and fingerprint of a person embedder of the catalogue, without loading it; None is the pack's."""
    entry = _entry(name)
    return entry.name, _fingerprint(entry)


def _entry(name: str | None) -> Model:
    entry = model(name) if name else default(_TASK, settings().pack)
    if entry.task != _TASK:
        message = f"{entry.name} is for {entry.task}, not for {_TASK}; `mien models list` shows those."
        raise UsageError(message, code="model_wrong_task")
    return entry


def _fingerprint(entry: Model) -> bytes:
    """First 16 bytes of the sha256 of a canonical JSON of everything that shapes the feature space."""
    shapes = {
        "files": sorted(file.sha256 for file in entry.files),
        "alignment": "box stretched to the input",
        "input": asdict(entry.input),
    }
    return hashlib.sha256(json.dumps(shapes, sort_keys=True, separators=(",", ":")).encode()).digest()[:16]
