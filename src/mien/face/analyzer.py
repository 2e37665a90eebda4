"""Composes the face analyzers: a picture in, its faces with all that was asked for out."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal

from mien.errors import UsageError
from mien.face.age_gender import AgeGenderEstimator
from mien.face.detector import FaceDetector
from mien.face.embedder import FaceEmbedder
from mien.face.eyes import EyeStateEstimator
from mien.face.head_pose import HeadPoseEstimator
from mien.face.mesh import MeshEstimator
from mien.media.image import load
from mien.records import Face, Image

Feature = Literal["pose", "age_gender", "quality", "eyes", "mesh", "embedding"]
FEATURES: tuple[Feature, ...] = ("pose", "age_gender", "quality", "eyes", "mesh", "embedding")


class FaceAnalyzer:
    """Finds and describes the faces of pictures; load once, use often, from any thread.

    Args:
        features: what to find out beside box, score and landmarks; `quality` and `embedding` by default.
        embedder: face-embedding model of the catalogue; None takes the pack's.
        long_side: pictures are reduced to this longest side in pixels for detection; None keeps up to 1600.
        score: least confidence of a face, in [0, 1].

    Example:
        >>> faces = FaceAnalyzer()("group.jpg")     # doctest: +SKIP
        >>> faces[0].embedding.shape                # doctest: +SKIP
        (256,)
    """

    def __init__(
        self,
        features: Iterable[Feature] = ("quality", "embedding"),
        *,
        embedder: str | None = None,
        long_side: int | None = None,
        score: float = 0.6,
    ) -> None:
        self.features = frozenset(features)
        if unknown := self.features - set(FEATURES):
            raise UsageError(
                f"unknown feature {sorted(unknown)[0]!r}; there are {', '.join(FEATURES)}", code="feature_unknown"
            )
        self.detector = FaceDetector(long_side=long_side, score=score)
        self._embedder_name = embedder

    @cached_property
    def embedder(self) -> FaceEmbedder:
        """The embedder, loaded at first use; quality needs it, too."""
        return FaceEmbedder(self._embedder_name)

    @cached_property
    def _head_pose(self) -> HeadPoseEstimator:
        return HeadPoseEstimator()

    @cached_property
    def _age_gender(self) -> AgeGenderEstimator:
        return AgeGenderEstimator()

    @cached_property
    def _eyes(self) -> EyeStateEstimator:
        return EyeStateEstimator()

    @cached_property
    def _mesh(self) -> MeshEstimator:
        return MeshEstimator()

    def __call__(self, source: Any, *, bgr: bool = False) -> list[Face]:
        """The faces of one picture, largest first.

        Args:
            source: path, bytes, PIL picture, or uint8 array `(H, W, 3)`.
            bgr: the array is in OpenCV's order of channels.

        Raises:
            BadInputError: the picture cannot be read.
        """
        return self.timed(load(source, bgr=bgr))[0]

    def timed(self, image: Image) -> tuple[list[Face], dict[str, float]]:
        """The faces of one RGB uint8 picture and the milliseconds that each stage took."""
        watch = _StopWatch()
        faces = sorted(self.detector(image), key=lambda face: -_area(face))
        watch.lap("detection")
        faces = self.complete(image, faces, watch.lap)
        return faces, watch.milliseconds

    def complete(self, image: Image, faces: list[Face], lap: Any = lambda stage: None) -> list[Face]:
        """Detected faces with the features that this analyzer was made for."""
        if not faces:
            return faces
        if self.features & {"quality", "embedding"}:
            # The quality of a face is that of its template: no network but the embedder knows what it will make of it.
            templates = self.embedder(image, faces)
            faces = [replace(face, quality=made.quality) for face, made in zip(faces, templates, strict=True)]
            if "embedding" in self.features:
                faces = [replace(face, template=made) for face, made in zip(faces, templates, strict=True)]
            lap("embedding" if "embedding" in self.features else "quality")
        if "pose" in self.features:
            faces = [replace(f, pose=pose) for f, pose in zip(faces, self._head_pose(image, faces), strict=True)]
            lap("pose")
        if "age_gender" in self.features:
            described = self._age_gender(image, faces)
            faces = [replace(f, age=age, gender=gender) for f, (age, gender) in zip(faces, described, strict=True)]
            lap("age_gender")
        if "eyes" in self.features:
            faces = [replace(f, eyes=eyes) for f, eyes in zip(faces, self._eyes(image, faces), strict=True)]
            lap("eyes")
        if "mesh" in self.features:
            faces = [replace(f, mesh=mesh) for f, mesh in zip(faces, self._mesh(image, faces), strict=True)]
            lap("mesh")
        return faces


class _StopWatch:
    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.milliseconds[stage] = round((now - self._last) * 1e3, 2)
        self._last = now


def _area(face: Face) -> float:
    width, height = (face.box[2:] - face.box[:2]).tolist()
    return float(width * height)
