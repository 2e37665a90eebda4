"""The tables of remembered visitors.

In clear: names of places, the embedder, how many visitors each has and when they were last kept. How a visitor looked,
when they were there, sex and age are sealed with the visitor's own key, which is stored wrapped.
"""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

from mien.identity.schema import header_table
from mien.identity.store import Layout

VERSION = 1
"""The schema's version; a database with a larger one is refused."""

metadata = MetaData()

header = header_table("mien_visitors", metadata)

places = Table(
    "places",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("name", String, nullable=False, unique=True),
    Column("keep_days", Integer, nullable=False, comment="days from when a visitor was last seen by a run"),
    Column("model", String, nullable=False, comment="the embedder's name; empty before the first visitor"),
    Column("fingerprint", LargeBinary(16), nullable=False, comment="the embedder's; empty before the first visitor"),
    Column("run", LargeBinary(16), nullable=False, comment="random; the run that writes"),
    sqlite_autoincrement=True,
)

visitors = Table(
    "visitors",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("place_id", ForeignKey("places.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False, comment="of the visitor in the place, from 1"),
    Column("key", LargeBinary, nullable=False, comment="wrapped"),
    Column("facts", LargeBinary, nullable=False, comment="sealed"),
    Column("kept_at", Float, nullable=False, comment="seconds since 1970, UTC"),
    UniqueConstraint("place_id", "number"),
    sqlite_autoincrement=True,
)

VISITORS = Layout(header, VERSION, "visitors")
