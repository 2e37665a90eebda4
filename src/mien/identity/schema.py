"""The tables of a gallery, in SQL that SQLite and PostgreSQL both speak.

Names of collections are plain. What tells who somebody is, is not: a subject's name and its faces' templates are sealed
with the subject's key, the key is wrapped, and the name is found by a blind index.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

VERSION = 1
"""The schema's version; a database with a larger one is refused."""

metadata = MetaData()


def header_table(name: str, tables: MetaData, *more: Column[Any]) -> Table:
    """The table of exactly one row that tells what kind of database it is, and lets its store keep keys and promises.

    Args:
        name: `mien_` and the kind.
        tables: of the database.
        more: columns that the kind has beside those of every store.
    """
    return Table(
        name,
        tables,
        Column("schema_version", Integer, nullable=False),
        Column("database_id", LargeBinary(16), nullable=False, comment="random; makes this database's keys its own"),
        Column("proof", LargeBinary(32), nullable=False, comment="what the master key must give"),
        Column("erasures", Integer, nullable=False, comment="how many transactions have erased something"),
        Column("purged", Integer, nullable=False, comment="of how many of them no residue is left in any file"),
        *more,
        comment="exactly one row",
    )


gallery = header_table("mien_gallery", metadata)

collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False, unique=True),
    Column("model", String, nullable=False, comment="empty until it is told"),
    Column("fingerprint", LargeBinary(16), nullable=False, comment="empty until the first enrollment"),
    Column("dimension", Integer, nullable=True, comment="null until the first enrollment"),
    Column("watch_list", Boolean, nullable=False),
    Column("revision", Integer, nullable=False, comment="grows with every change of the collection's faces"),
    sqlite_autoincrement=True,
)

subjects = Table(
    "subjects",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("collection_id", ForeignKey("collections.id", ondelete="CASCADE"), nullable=False),
    Column("blind_name", LargeBinary(32), nullable=False),
    Column("name", LargeBinary, nullable=False, comment="sealed"),
    Column("key", LargeBinary, nullable=False, comment="wrapped"),
    Column("enrolled_at", Float, nullable=False, comment="seconds since 1970, UTC"),
    UniqueConstraint("collection_id", "blind_name"),
    sqlite_autoincrement=True,
)

faces = Table(
    "faces",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("face_id", String(32), nullable=False, unique=True),
    Column("subject_id", ForeignKey("subjects.id", ondelete="CASCADE"), nullable=False),
    Column("template", LargeBinary, nullable=False, comment="sealed"),
    Column("blind_source", LargeBinary(32), nullable=True),
    Column("enrolled_at", Float, nullable=False, comment="seconds since 1970, UTC"),
    UniqueConstraint("subject_id", "blind_source"),
    sqlite_autoincrement=True,
)
