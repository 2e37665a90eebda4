"""Finding the rows of collections and subjects, and what their sealed values are bound to."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.errors import BadInputError
from mien.identity.names import proper_name
from mien.identity.schema import collections, faces, subjects
from mien.identity.vault import Vault, blind_source
from mien.records import Template


def collection_row(connection: Connection, name: str) -> Row[Any]:
    """The row of a collection.

    Raises:
        BadInputError: `collection_missing`; the message lists the collections that are there, the likely ones first.
    """
    row = collection_row_or_none(connection, name)
    if row is not None:
        return row
    names = list(connection.execute(sql.select(collections.c.name).order_by(collections.c.name)).scalars())
    likely = get_close_matches(name, names) or names[:5]
    there = f"did you mean {' or '.join(map(repr, likely))}?" if likely else "the gallery is empty."
    raise BadInputError(
        f"there is no collection {name!r}: {there} The first enrollment makes a collection.", code="collection_missing"
    )


def collection_row_or_none(connection: Connection, name: str) -> Row[Any] | None:
    """The row of a collection, or None."""
    return connection.execute(sql.select(collections).where(collections.c.name == name)).one_or_none()


def subject_row(connection: Connection, vault: Vault, collection: Row[Any], name: str) -> Row[Any]:
    """The row of a subject, found by its blinded name.

    Raises:
        BadInputError: `subject_missing`, or a `name_*`.
    """
    row = subject_row_or_none(connection, vault, collection, proper_name(name, "subject"))
    if row is None:
        raise BadInputError(
            f"there is no subject {name!r} in the collection {collection.name!r}; "
            f"`mien subjects {collection.name}` lists those that are",
            code="subject_missing",
        )
    return row


def subject_row_or_none(connection: Connection, vault: Vault, collection: Row[Any], name: str) -> Row[Any] | None:
    """The row of a subject by its proper name, or None."""
    return connection.execute(
        sql.select(subjects).where(
            subjects.c.collection_id == collection.id, subjects.c.blind_name == vault.blind(collection.id, name)
        )
    ).one_or_none()


def source_faces(
    connection: Connection, vault: Vault, collection: Row[Any], name: str, sources: Sequence[bytes]
) -> list[str | None]:
    """The face id that a subject has of each picture, by the pictures' digests; None where it has none."""
    row = subject_row_or_none(connection, vault, collection, name)
    if row is None:
        return [None] * len(sources)
    stored = sql.select(faces.c.blind_source, faces.c.face_id).where(faces.c.subject_id == row.id)
    known: dict[bytes | None, str] = {source: face_id for source, face_id in connection.execute(stored) if source}
    key = vault.subject_key(row.key, row.blind_name)
    return [known.get(blind_source(key, source)) for source in sources]


def check_model(collection: Row[Any], template: Template) -> None:
    """Refuse a template that those of the collection cannot be compared with.

    Raises:
        BadInputError: `template_other_model`, naming both, or `template_dimension`.
    """
    if collection.fingerprint and collection.fingerprint != template.fingerprint:
        model = f"{collection.model}, " if collection.model else ""
        raise BadInputError(
            f"the template is of the model with fingerprint {template.fingerprint.hex()}, the collection "
            f"{collection.name!r} of another ({model}fingerprint {collection.fingerprint.hex()}): make it with the "
            "collection's model, or use another collection",
            code="template_other_model",
        )
    if collection.dimension is not None and collection.dimension != len(template.vector):
        raise BadInputError(
            f"the template has dimension {len(template.vector)}; those of the collection {collection.name!r} have "
            f"{collection.dimension}",
            code="template_dimension",
        )


def name_context(blind_name: bytes) -> bytes:
    """What a subject's sealed name is bound to."""
    return b"name\0" + blind_name


def template_context(face_id: str) -> bytes:
    """What a sealed template is bound to."""
    return b"template\0" + face_id.encode()
