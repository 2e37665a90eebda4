"""A collection as `Gallery` hands it out: enroll and search by template, or by picture."""

from __future__ import annotations

from typing import Any

from mien.identity.template_collection import TemplateCollection
from mien.records import Match

# Networks are imported by those who give pictures, not by those who give templates.


class Collection(TemplateCollection):
    """The subjects of one collection; comes from `Gallery`."""

    def enroll(self, subject: str, *pictures: Any, model: str | None = None, largest: bool = False) -> list[str]:
        """Add the faces of pictures to a subject, all or none; a picture that it has already is not enrolled again.

        Args:
            subject: its name.
            pictures: paths, bytes, PIL pictures, or RGB uint8 arrays `(H, W, 3)`, with exactly one face each.
            model: embedder of a new collection; None is the pack's.
            largest: take the largest face of a picture with several.

        Returns:
            The face id of each picture.

        Raises:
            BadInputError: a picture cannot be read, `face_missing`, `faces_several`; or as `enroll_templates`.
        """
        from mien.identity.pictures import enroll_sources

        return enroll_sources(self, subject, pictures, model=model, largest=largest)

    def search(self, picture: Any, *, fpir: float = 0.01, top: int = 5) -> list[Match]:
        """Who is the largest face of a picture? Best first, one match a subject; empty where it is nobody enrolled.

        Args:
            picture: path, bytes, PIL picture, or RGB uint8 array `(H, W, 3)`.
            fpir: share of searches for strangers that may name somebody, in (0, 1); see `mien.identity.search`.
            top: most matches, at least 1.

        Raises:
            BadInputError: the picture cannot be read, `face_missing`; or as `mien.identity.search.search`.
        """
        from mien.identity.pictures import probe
        from mien.identity.search import embedder_of, search

        return search(self, probe(picture, embedder_of(self)[0]).template, fpir=fpir, top=top).matches
