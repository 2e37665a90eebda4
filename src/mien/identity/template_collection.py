"""One collection of a gallery: enroll, verify, search, list and erase by template."""

from __future__ import annotations

from collections.abc import Sequence
from threading import RLock
from typing import Any

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.errors import BadInputError, UsageError
from mien.identity.erasing import delete_face, delete_subjects
from mien.identity.listing import FaceRecord, SubjectRecord, list_faces, list_subjects
from mien.identity.names import proper_name
from mien.identity.roster import Roster
from mien.identity.rows import (
    check_model,
    collection_row,
    collection_row_or_none,
    source_faces,
    subject_row,
)
from mien.identity.schema import faces, subjects
from mien.identity.store import Store
from mien.identity.template import unit
from mien.identity.writing import add_faces, fix_embedder
from mien.records import Float32, Match, Template


class TemplateCollection:
    """The subjects of one collection; thread-safe, and up to date with other processes at every call.

    It need not exist yet: the first enrollment makes it, and everything else on a missing one
    is a BadInputError `collection_missing`. Its embedder is fixed by the first template: one of another model is
    refused (`template_other_model`). Any call may raise the errors of `Store` about the database.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.name = name
        self._store = store
        self._lock = RLock()
        self._roster = Roster(store, name)

    def enroll_templates(
        self,
        subject: str,
        templates: Sequence[Template],
        *,
        model: str = "",
        sources: Sequence[bytes] = (),
    ) -> list[str]:
        """Add faces to a subject, made where it is new; on disk when this returns, all or none.

        Args:
            subject: its name.
            templates: at least one, all of the collection's embedder.
            model: name of the embedder, kept with the collection for messages.
            sources: digests of the pictures, one a template, or none. A picture that this subject already has is not
                enrolled again. Only keyed hashes of them are stored.

        Returns:
            The face id of each template; for a picture enrolled before, the id it has.

        Raises:
            BadInputError: `template_other_model`, `template_dimension`, another `template_*`, or a `name_*`.
            UsageError: `templates_missing` or `sources_mismatch`.
        """
        subject = proper_name(subject, "subject")
        if not templates:
            raise UsageError(f"no template was given for {subject!r}: give at least one", code="templates_missing")
        if sources and len(sources) != len(templates):
            raise UsageError(
                f"{len(sources)} sources were given for {len(templates)} templates: give one for each, or none",
                code="sources_mismatch",
            )
        with self._store.write() as connection:
            collection = fix_embedder(connection, self.name, templates[0], model)
            return add_faces(connection, self._store.vault, collection, subject, templates, sources)

    def known_sources(self, subject: str, sources: Sequence[bytes]) -> list[str | None]:
        """For each digest of a picture the face id that this subject has of it; None where it has none, or is new.

        Raises:
            BadInputError: a `name_*`.
        """
        subject = proper_name(subject, "subject")
        with self._store.read() as connection:
            collection = collection_row_or_none(connection, self.name)
            if collection is None:
                return [None] * len(sources)
            return source_faces(connection, self._store.vault, collection, subject, sources)

    def search_template(self, template: Template, *, threshold: float, top: int = 5) -> list[Match]:
        """The closest subjects whose similarity reaches the threshold, best first, one match a subject.

        Args:
            template: the probe, of the collection's embedder.
            threshold: smallest cosine that counts; comes from an operating point, see `mien operating-point`.
            top: most matches, at least 1.

        Raises:
            BadInputError: `collection_missing`, `template_other_model` or another `template_*`.
            UsageError: `top_invalid` or `threshold_invalid`.
        """
        probe = unit(template.vector)
        with self._lock:
            check_model(self._roster.refresh(), template)
            return self._search(probe[None], threshold, top)[0]

    def search_vectors(self, probes: Float32, *, threshold: float, top: int = 5) -> list[list[Match]]:
        """`search_template` for many probes `(P, D)`, any float type, that the caller knows to be of the embedder."""
        if probes.ndim != 2:
            raise UsageError(f"the probes have shape {probes.shape}; expected (P, D)", code="probes_shape")
        units = [unit(probe) for probe in probes]
        with self._lock:
            dimension = self._roster.refresh().dimension
            if dimension is not None and probes.shape[1] != dimension:
                raise BadInputError(
                    f"the probes have dimension {probes.shape[1]}; the templates of the collection {self.name!r} have "
                    f"{dimension}",
                    code="template_dimension",
                )
            return self._search(np.stack(units), threshold, top) if units else []

    def verify_template(self, subject: str, template: Template) -> float:
        """Similarity in [-1, 1] of a template with the subject's closest face.

        Raises:
            BadInputError: `collection_missing`, `subject_missing`, `template_other_model` or another `template_*`.
        """
        probe = unit(template.vector)
        with self._lock:
            collection = self._roster.refresh()
            check_model(collection, template)
            with self._store.read() as connection:
                row = self._subject(connection, collection, subject)
            similarity = self._roster.closest(probe, row.id)
        # none only where another process has enrolled the subject since the refresh
        return self.verify_template(subject, template) if similarity is None else similarity

    def subjects(self) -> list[SubjectRecord]:
        """All subjects, by name."""
        with self._store.read() as connection:
            return list_subjects(connection, self._store.vault, collection_row(connection, self.name))

    def faces(self, subject: str) -> list[FaceRecord]:
        """The faces of a subject in the order of their enrollment.

        Raises:
            BadInputError: `collection_missing` or `subject_missing`.
        """
        with self._store.read() as connection:
            return list_faces(connection, self._store.vault, collection_row(connection, self.name), subject)

    def erase(self, *names: str) -> int:
        """Erase subjects with their faces and keys; when this returns, no file of the store holds a trace of them.

        Takes time in proportion to the whole gallery, however few are erased: erase many in one call.

        Returns:
            How many faces were erased.

        Raises:
            BadInputError: `collection_missing` or `subject_missing`; nothing was erased.
            MienError: `erase_incomplete`: see `Store.purge`.
        """
        with self._store.write() as connection:
            collection = collection_row(connection, self.name)
            count = delete_subjects(connection, self._store.vault, collection, names)
        self._store.purge()
        return count

    def erase_face(self, face_id: str) -> None:
        """Erase one face as `erase` does a subject; the subject goes with its last face.

        Raises:
            BadInputError: `collection_missing` or `face_missing`.
            MienError: `erase_incomplete`: see `Store.purge`.
        """
        with self._store.write() as connection:
            delete_face(connection, collection_row(connection, self.name), face_id)
        self._store.purge()

    def __len__(self) -> int:
        """Number of faces."""
        with self._lock:
            known = self._roster.size_if_current()
        return self._count(faces.c.id) if known is None else known

    @property
    def subject_count(self) -> int:
        """Number of subjects."""
        return self._count(sql.distinct(subjects.c.id))

    @property
    def model(self) -> str:
        """Name of the embedder; empty until an enrollment has told it."""
        return self._row().model

    @property
    def fingerprint(self) -> bytes:
        """Fingerprint of the embedder, 16 bytes; empty before the first enrollment."""
        return self._row().fingerprint

    @property
    def watch_list(self) -> bool:
        """Whether recognizing one of these subjects raises an alarm."""
        return bool(self._row().watch_list)

    def _search(self, probes: Float32, threshold: float, top: int) -> list[list[Match]]:
        if top < 1:
            raise UsageError(f"top is {top}; expected at least 1", code="top_invalid")
        if np.isnan(threshold):
            raise UsageError("the threshold is not a number; expected a cosine", code="threshold_invalid")
        return self._roster.search(probes, top, threshold)

    def _subject(self, connection: Connection, collection: Row[Any], name: str) -> Row[Any]:
        return subject_row(connection, self._store.vault, collection, name)

    def _row(self) -> Row[Any]:
        with self._store.read() as connection:
            return collection_row(connection, self.name)

    def _count(self, what: Any) -> int:
        with self._store.read() as connection:
            inside = subjects.c.collection_id == collection_row(connection, self.name).id
            return connection.execute(
                sql.select(sql.func.count(what)).select_from(subjects.outerjoin(faces)).where(inside)
            ).scalar_one()
