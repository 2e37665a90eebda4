"""Whom a collection holds: its subjects and their faces, read from the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.identity.rows import name_context, subject_row
from mien.identity.schema import faces, subjects
from mien.identity.vault import Vault, unseal


@dataclass(frozen=True, slots=True)
class SubjectRecord:
    """A subject of a collection: name, number of faces, and when it was first enrolled (UTC)."""

    name: str
    faces: int
    enrolled_at: datetime


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """A face of a subject: its id, and when it was enrolled (UTC)."""

    face_id: str
    enrolled_at: datetime


def list_subjects(connection: Connection, vault: Vault, collection: Row[Any]) -> list[SubjectRecord]:
    """All subjects, by name."""
    rows = connection.execute(
        sql.select(subjects, sql.func.count(faces.c.id).label("faces"))
        .select_from(subjects.outerjoin(faces))
        .where(subjects.c.collection_id == collection.id)
        .group_by(subjects.c.id)
    ).all()
    records = [
        SubjectRecord(
            name=unseal(vault.subject_key(row.key, row.blind_name), row.name, name_context(row.blind_name)).decode(),
            faces=row.faces,
            enrolled_at=_moment(row.enrolled_at),
        )
        for row in rows
    ]
    return sorted(records, key=lambda record: record.name)


def list_faces(connection: Connection, vault: Vault, collection: Row[Any], subject: str) -> list[FaceRecord]:
    """The faces of a subject in the order of their enrollment.

    Raises:
        BadInputError: `subject_missing`.
    """
    row = subject_row(connection, vault, collection, subject)
    found = connection.execute(sql.select(faces).where(faces.c.subject_id == row.id).order_by(faces.c.id))
    return [FaceRecord(face.face_id, _moment(face.enrolled_at)) for face in found]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
