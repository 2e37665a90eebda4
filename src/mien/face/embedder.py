"""Turns an aligned face into a template: the feature, L2-normalized, bound to everything that shapes its space."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from mien.errors import UsageError
from mien.face.align import TEMPLATES, alignment, warp
from mien.face.quality import face_quality, recognition_quality
from mien.models.catalogue import Alignment, Model, default, model
from mien.models.runtime import Session
from mien.records import Face, Float32, Image, Template
from mien.settings import settings


class FaceEmbedder:
    """Features of faces.

    Args:
        name: a face-embedding model of the catalogue; None takes the pack's.
        alignment: another alignment than the catalogue's; its templates carry another fingerprint.

    Attributes:
        name: the model's name.
        dimension: length of a feature.
        size: side in pixels of an aligned crop.
        fingerprint: 16 bytes; templates with different ones are never comparable.
    """

    def __init__(self, name: str | None = None, *, alignment: Alignment | None = None) -> None:
        entry = model(name) if name else default("face-embedding", settings().pack)
        chosen = alignment or entry.alignment
        if entry.task != "face-embedding" or chosen is None or entry.dimension is None or entry.input.size is None:
            raise _wrong_task(entry)
        self.name = entry.name
        self.dimension = entry.dimension
        self.size = entry.input.size[0]
        self.fingerprint = fingerprint(entry, chosen)
        self._alignment = chosen
        self._norm = entry.feature_norm
        self._session = Session(entry)

    def __call__(self, image: Image, faces: Sequence[Face]) -> list[Template]:
        """Templates of the faces of one picture."""
        return self.batch([image] * len(faces), faces)

    def batch(self, images: Sequence[Image], faces: Sequence[Face]) -> list[Template]:
        """Templates of faces, `faces[i]` being in `images[i]`."""
        crops = [self.crop(image, face) for image, face in zip(images, faces, strict=True)]
        return self.embed(crops, [face_quality(crop, face) for crop, face in zip(crops, faces, strict=True)])

    def crop(self, image: Image, face: Face) -> Image:
        """The aligned face, RGB uint8 `(size, size, 3)`: small enough to keep while better shots are waited for."""
        return warp(image, alignment(face.landmarks, self._alignment.template, self.size), self.size)

    def embed(self, crops: Sequence[Image], qualities: Sequence[float]) -> list[Template]:
        """Templates of aligned crops, RGB uint8 `(size, size, 3)` each, whose `face_quality` is known.

        A template's quality is `recognition_quality`: it knows what the network made of the crop, too.
        """
        if not crops:
            return []
        vectors, norms = self._vectors(np.stack(crops))
        if self._norm is not None:
            typical = self._norm
            qualities = [recognition_quality(q, norm, typical) for q, norm in zip(qualities, norms, strict=True)]
        return [
            Template(vector=vector, fingerprint=self.fingerprint, quality=quality)
            for vector, quality in zip(vectors, qualities, strict=True)
        ]

    def vectors(self, crops: Image) -> Float32:
        """Features `(B, D)`, L2-normalized, of aligned crops `(B, size, size, 3)`.

        With flip averaging the sum of the normalized features of the crop and of its mirror image is taken.
        """
        return self._vectors(crops)[0]

    def _vectors(self, crops: Image) -> tuple[Float32, list[float]]:
        """Features `(B, D)`, and how long each was before it was normalized."""
        raw = self._raw(crops)
        features = _normalized(raw)
        if self._alignment.flip_average:
            features = _normalized(features + _normalized(self._raw(np.ascontiguousarray(crops[:, :, ::-1]))))
        return features, np.linalg.norm(raw, axis=1).tolist()

    def _raw(self, crops: Image) -> Float32:
        (output,) = self._session(crops).values()
        return output.reshape(len(crops), -1)


def embedder_identity(name: str | None) -> tuple[str, bytes]:
    """Name and fingerprint of an embedder of the catalogue, without loading it; None is the pack's."""
    entry = model(name) if name else default("face-embedding", settings().pack)
    if entry.alignment is None:
        raise _wrong_task(entry)
    return entry.name, fingerprint(entry, entry.alignment)


def fingerprint(entry: Model, chosen: Alignment) -> bytes:
    """First 16 bytes of the sha256 of a canonical JSON of everything that shapes the feature space."""
    shapes = {
        "files": sorted(file.sha256 for file in entry.files),
        "alignment": np.round(TEMPLATES[chosen.template].astype(np.float64), 6).tolist(),
        "flip_average": chosen.flip_average,
        "input": asdict(entry.input),
    }
    return hashlib.sha256(json.dumps(shapes, sort_keys=True, separators=(",", ":")).encode()).digest()[:16]


def _wrong_task(entry: Model) -> UsageError:
    message = f"{entry.name} is for {entry.task}, not for face-embedding; `mien models list` shows those."
    return UsageError(message, code="model_wrong_task")


def _normalized(features: Float32) -> Float32:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
