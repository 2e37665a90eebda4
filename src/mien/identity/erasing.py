"""Deleting subjects and faces from the database, inside a transaction of the caller, who purges the files after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.errors import BadInputError
from mien.identity.rows import subject_row
from mien.identity.schema import faces, subjects
from mien.identity.store import mark_purge
from mien.identity.vault import Vault
from mien.identity.writing import revise


def delete_subjects(connection: Connection, vault: Vault, collection: Row[Any], names: Sequence[str]) -> int:
    """Delete subjects with their faces and keys; how many faces there were.

    Raises:
        BadInputError: `subject_missing`.
    """
    rows = [subject_row(connection, vault, collection, name).id for name in names]
    count = sum(connection.execute(faces.delete().where(faces.c.subject_id == row)).rowcount for row in rows)
    for row in rows:
        connection.execute(subjects.delete().where(subjects.c.id == row))
    revise(connection, collection.id)
    mark_purge(connection)
    return count


def delete_face(connection: Connection, collection: Row[Any], face_id: str) -> None:
    """Delete one face; its subject goes with its last.

    Raises:
        BadInputError: `face_missing`.
    """
    face = connection.execute(
        sql.select(faces.c.id, faces.c.subject_id)
        .select_from(faces.join(subjects))
        .where(faces.c.face_id == face_id, subjects.c.collection_id == collection.id)
    ).one_or_none()
    if face is None:
        raise BadInputError(
            f"there is no face {face_id!r} in the collection {collection.name!r}: `faces` lists those of a subject",
            code="face_missing",
        )
    connection.execute(faces.delete().where(faces.c.id == face.id))
    others = sql.exists().where(faces.c.subject_id == face.subject_id)
    connection.execute(subjects.delete().where(subjects.c.id == face.subject_id, ~others))
    revise(connection, collection.id)
    mark_purge(connection)
