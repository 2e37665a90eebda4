"""Writing collections, subjects and faces into the database, inside a transaction of the caller."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.identity.rows import (
    check_model,
    collection_row,
    collection_row_or_none,
    name_context,
    subject_row_or_none,
    template_context,
)
from mien.identity.schema import collections, faces, subjects
from mien.identity.template import encode
from mien.identity.vault import Vault, blind_source, seal
from mien.records import Template


def add_collection(
    connection: Connection, name: str, *, model: str = "", fingerprint: bytes = b"", watch_list: bool = False
) -> None:
    """Insert an empty collection of a name that is not there yet."""
    connection.execute(
        collections.insert().values(name=name, model=model, fingerprint=fingerprint, watch_list=watch_list, revision=0)
    )


def add_faces(
    connection: Connection,
    vault: Vault,
    collection: Row[Any],
    subject: str,
    templates: Sequence[Template],
    sources: Sequence[bytes],
) -> list[str]:
    """Insert a subject's faces whose source it does not have yet; the face id of every template.

    Args:
        connection: in a write transaction.
        vault: keys.
        collection: its row, with the embedder fixed.
        subject: proper name.
        templates: at least one.
        sources: digests, one a template, or none.
    """
    for template in templates:
        check_model(collection, template)
    row, key = _subject_or_new(connection, vault, collection, subject)
    stored = sql.select(faces.c.blind_source, faces.c.face_id).where(faces.c.subject_id == row)
    known: dict[bytes | None, str] = {source: face_id for source, face_id in connection.execute(stored) if source}
    face_ids, fresh = [], []
    for number, template in enumerate(templates):
        source = blind_source(key, sources[number]) if sources else None
        face_id = known.get(source)
        if face_id is None:
            face_id = uuid.uuid4().hex
            fresh.append(
                {
                    "face_id": face_id,
                    "subject_id": row,
                    "template": seal(key, encode(template), template_context(face_id)),
                    "blind_source": source,
                    "enrolled_at": time.time(),
                }
            )
            if source:
                known[source] = face_id
        face_ids.append(face_id)
    if fresh:
        connection.execute(faces.insert(), fresh)
        revise(connection, collection.id)
    return face_ids


def fix_embedder(connection: Connection, name: str, template: Template, model: str) -> Row[Any]:
    """The row of a collection, made where it is missing, after its first template has fixed what was still open."""
    if collection_row_or_none(connection, name) is None:
        add_collection(connection, name)
    row = collection_row(connection, name)
    settled = {
        "model": row.model or model,
        "fingerprint": row.fingerprint or template.fingerprint,
        "dimension": row.dimension or len(template.vector),
    }
    if any(getattr(row, column) != value for column, value in settled.items()):
        connection.execute(collections.update().where(collections.c.id == row.id).values(**settled))
    return collection_row(connection, name)


def revise(connection: Connection, collection: int) -> None:
    """Tell every process that the collection's faces have changed."""
    connection.execute(
        collections.update().where(collections.c.id == collection).values(revision=collections.c.revision + 1)
    )


def _subject_or_new(connection: Connection, vault: Vault, collection: Row[Any], name: str) -> tuple[int, bytes]:
    row = subject_row_or_none(connection, vault, collection, name)
    if row is not None:
        return row.id, vault.subject_key(row.key, row.blind_name)
    blind_name = vault.blind(collection.id, name)
    key, wrapped = vault.new_subject_key(blind_name)
    inserted = connection.execute(
        subjects.insert()
        .values(
            collection_id=collection.id,
            blind_name=blind_name,
            name=seal(key, name.encode(), name_context(blind_name)),
            key=wrapped,
            enrolled_at=time.time(),
        )
        .returning(subjects.c.id)
    )
    return inserted.scalar_one(), key
