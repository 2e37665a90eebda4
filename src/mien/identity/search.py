"""Search and verification at a false match rate that was asked for, never at a bare similarity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from mien.errors import BadInputError
from mien.face.embedder import embedder_identity
from mien.identity.operating_point import (
    Calibration,
    Threshold,
    load_calibration,
    threshold_for_fmr,
    threshold_for_fpir,
)
from mien.models.catalogue import catalogue
from mien.records import Match, Template

if TYPE_CHECKING:
    from mien.identity.template_collection import TemplateCollection


@dataclass(frozen=True, slots=True)
class Search:
    """The answer of a search.

    Attributes:
        matches: one row a subject, best first; empty when nobody passes the threshold.
        threshold: what a similarity had to reach.
        closest: similarity with the closest enrolled face, whether or not it passed; None in an empty collection.
    """

    matches: list[Match]
    threshold: Threshold
    closest: float | None


def search(collection: TemplateCollection, probe: Template, *, fpir: float, top: int = 5) -> Search:
    """The subjects of a collection that a probe resembles.

    Args:
        collection: where to search.
        probe: a template of the collection's embedder.
        fpir: false positive identification rate in (0, 1), over the faces that are enrolled now.
        top: at most so many subjects.

    Raises:
        BadInputError: the collection is missing or empty, or the template or the calibration is another model's.
        MissingError: there is no calibration for the collection's embedder.
    """
    model, fingerprint = embedder_of(collection)
    threshold = threshold_for_fpir(calibration(model, fingerprint), fpir, len(collection))
    found = collection.search_template(probe, threshold=-1.0, top=top)
    passed = [match for match in found if match.similarity >= threshold.value]
    return Search(passed, threshold, found[0].similarity if found else None)


def embedder_of(collection: TemplateCollection) -> tuple[str, bytes]:
    """Name and fingerprint of the embedder that a collection is bound to.

    Raises:
        BadInputError: `collection_missing`, or `collection_empty`: nobody was ever enrolled.
    """
    fingerprint = collection.fingerprint
    if not fingerprint:
        raise BadInputError(
            f"nobody is enrolled in the collection {collection.name!r}; "
            f"`mien enroll {collection.name} SUBJECT PICTURE`",
            code="collection_empty",
        )
    return collection.model or _named(fingerprint), fingerprint


def _named(fingerprint: bytes) -> str:
    """The embedder of the catalogue with this fingerprint: templates can be enrolled without naming theirs."""
    for entry in catalogue().values():
        if entry.task == "face-embedding" and embedder_identity(entry.name)[1] == fingerprint:
            return entry.name
    raise BadInputError(
        f"the collection holds templates {fingerprint.hex()}, which no embedder of the catalogue makes; name the "
        "embedder when enrolling templates",
        code="template_other_model",
    )


def verify(first: Template, second: Template, *, model: str, fmr: float) -> tuple[float, Threshold]:
    """Similarity (cosine) of two templates of one embedder, and the threshold at a false match rate.

    Raises:
        BadInputError: the templates are of different embedders.
    """
    if first.fingerprint != second.fingerprint:
        raise BadInputError(
            f"the templates are of different embedders ({first.fingerprint.hex()} and {second.fingerprint.hex()}); "
            "extract both with the same one",
            code="template_other_model",
        )
    threshold = threshold_for_fmr(calibration(model, first.fingerprint), fmr)
    return float(first.vector @ second.vector), threshold


@lru_cache(maxsize=8)
def calibration(model: str, fingerprint: bytes) -> Calibration:
    """The calibration of an embedder, read once."""
    return load_calibration(model, fingerprint)
