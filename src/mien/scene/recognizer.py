"""Who the tracks of one stream are: one feature a track from its best shot, again only from a clearly better one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mien.errors import BadInputError
from mien.face.embedder import FaceEmbedder
from mien.face.quality import face_quality, quality_bound
from mien.identity.gallery import Collection
from mien.identity.search import embedder_of, search
from mien.records import Face, Float32, Image, Match, Template
from mien.tracking.best_shot import BestShots


@dataclass(slots=True)
class Trace:
    """What is known of one track so far.

    Attributes:
        began, seen: seconds of its first and last frame.
        box: where it was last seen, `xyxy` `(4,)`.
        quality: of the best shot so far; None before one was looked at.
        shot: the aligned crop of the best shot since the last extraction.
        features: what was extracted, with the quality of each shot.
        asked, searched: seconds of the first search and of the last one; None before them.
        match: the subject that was recognized, by the search that resembled one most.
        closest: similarity with the closest enrolled face, of the last search.
        is_unknown: it was told that this is nobody of the collection.
        is_staff: it was recognized as somebody of the staff.
        readings: ages in years and sexes that were read from the face.
    """

    began: float
    seen: float
    box: Float32
    quality: float | None = None
    shot: Image | None = None
    shot_quality: float = 0.0
    features: list[tuple[Float32, float]] = field(default_factory=list)
    asked: float | None = None
    searched: float | None = None
    match: Match | None = None
    closest: float | None = None
    is_unknown: bool = False
    is_staff: bool = False
    readings: list[tuple[float, Literal["male", "female"]]] = field(default_factory=list)

    @property
    def subject(self) -> str | None:
        """Who it is, as far as is known."""
        return None if self.match is None else self.match.subject

    @property
    def similarity(self) -> float | None:
        """With the subject's closest face, or with anybody's where nobody was recognized; None before a search."""
        return self.closest if self.match is None else self.match.similarity


_AGAIN_SECONDS = 1.0
"""After so long a track that resembles nobody is looked at again: by then the person has moved a little."""


class Recognizer:
    """Keeps best shots, extracts features and searches them in a collection.

    A track that resembles nobody is searched again with its best later shot, while it has extractions left. The
    features of a track are averaged, weighted by quality, before they are searched: a later shot adds to the first
    instead of being one more chance of a false match.

    Args:
        collection: where to search.
        fpir: false positive identification rate of a search, in (0, 1).
        staff: who belongs to the house; of the same embedder, may be the same collection.

    Raises:
        BadInputError: `collection_missing`, `collection_empty`, or `template_other_model`: of two embedders.
    """

    def __init__(self, collection: Collection, fpir: float, staff: Collection | None = None) -> None:
        model, fingerprint = embedder_of(collection)
        if staff is not None and embedder_of(staff)[1] != fingerprint:
            raise BadInputError(
                f"the collections {collection.name!r} and {staff.name!r} are of different embedders ({model} and "
                f"{embedder_of(staff)[0]}); enroll both with the same one",
                code="template_other_model",
            )
        self._embedder = FaceEmbedder(model)
        self._collection, self._fpir, self._staff = collection, fpir, staff
        self._shots = BestShots()
        self.extractions = 0

    def look(self, image: Image, faces: Sequence[Face], traces: Sequence[Trace], time: float) -> list[Trace]:
        """Takes the tracked faces of one frame, `faces[i]` belonging to `traces[i]`; returns the traces to search."""
        due = []
        for face, trace in zip(faces, traces, strict=True):
            track_id, bound = face.track_id or 0, quality_bound(face)
            is_open = trace.match is None and self._shots.has_spare(track_id)
            if not self._shots.is_settled(track_id, bound) or (is_open and bound > trace.shot_quality):
                crop = self._embedder.crop(image, face)
                quality = face_quality(crop, face)
                trace.quality = max(trace.quality or 0.0, quality)
                if trace.shot is None or quality > trace.shot_quality:
                    trace.shot, trace.shot_quality = crop, quality
                if self._shots.offer(track_id, quality):
                    due.append(trace)
                    continue
            if is_open and trace.shot is not None and time - (trace.searched or 0.0) >= _AGAIN_SECONDS:
                self._shots.spend(track_id)
                due.append(trace)
        return due

    def end(self, track_id: int) -> bool:
        """Forgets a track; True where it was never searched and has a shot that now must do."""
        return self._shots.forget(track_id)

    def search(self, traces: Sequence[Trace], time: float) -> None:
        """Extracts the waiting shots of all these tracks as one batch and searches each."""
        waiting = [(trace, trace.shot) for trace in traces if trace.shot is not None]
        if not waiting:
            return
        templates = self._embedder.embed([shot for _, shot in waiting], [trace.shot_quality for trace, _ in waiting])
        self.extractions += len(waiting)
        for (trace, _), template in zip(waiting, templates, strict=True):
            trace.features.append((template.vector, max(template.quality, 1e-3)))
            trace.shot, trace.shot_quality = None, 0.0
            trace.asked = time if trace.asked is None else trace.asked
            trace.searched = time
            self._decide(trace)

    def _decide(self, trace: Trace) -> None:
        mean = sum(vector * quality for vector, quality in trace.features)
        vector = np.asarray(mean / np.linalg.norm(mean), np.float32)
        probe = Template(vector, self._embedder.fingerprint)
        found = search(self._collection, probe, fpir=self._fpir, top=1)
        if self._staff is not None:
            is_same = self._staff is self._collection
            of_staff = found if is_same else search(self._staff, probe, fpir=self._fpir, top=1)
            trace.is_staff |= bool(of_staff.matches)
        trace.closest = found.closest
        if found.matches and (trace.match is None or found.matches[0].similarity > trace.match.similarity):
            trace.match = found.matches[0]
