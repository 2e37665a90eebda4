"""The tables of an archive.

In clear: how many videos and tracks there are, by which embedder, and when they were indexed. All that tells who or
where is sealed with the video's own key, which is stored wrapped: files' names, times, boxes, looks, thumbnails.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

from mien.identity.schema import header_table
from mien.identity.store import Layout

VERSION = 1
"""The schema's version; a database with a larger one is refused."""

metadata = MetaData()

archive = header_table(
    "mien_archive",
    metadata,
    Column("keep_days", Integer, nullable=True, comment="days from indexing; null keeps for ever"),
)

videos = Table(
    "videos",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("blind_content", LargeBinary(32), nullable=False, unique=True, comment="of the file's bytes"),
    Column("blind_path", LargeBinary(32), nullable=False, unique=True),
    Column("blind_stamp", LargeBinary(32), nullable=False, comment="of path, size and time of change"),
    Column("key", LargeBinary, nullable=False, comment="wrapped"),
    Column("facts", LargeBinary, nullable=False, comment="sealed"),
    Column("rows", LargeBinary, nullable=False, comment="sealed; how many features each track has"),
    Column("features", LargeBinary, nullable=False, comment="sealed; of all tracks"),
    Column("looks", LargeBinary, nullable=False, comment="sealed; attributes and colours of all tracks"),
    Column("model", String, nullable=False, comment="the embedder's name"),
    Column("fingerprint", LargeBinary(16), nullable=False, comment="the embedder's"),
    Column("indexed_at", Float, nullable=False, comment="seconds since 1970, UTC"),
    sqlite_autoincrement=True,
)

tracks = Table(
    "tracks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("video_id", ForeignKey("videos.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False, comment="0-based, as in the features"),
    Column("facts", LargeBinary, nullable=False, comment="sealed"),
    Column("picture", LargeBinary, nullable=False, comment="sealed; the thumbnails"),
    UniqueConstraint("video_id", "number"),
    sqlite_autoincrement=True,
)

ARCHIVE = Layout(archive, VERSION, "archive")
