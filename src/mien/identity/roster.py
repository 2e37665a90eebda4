"""What a collection holds, in memory and in the clear: rebuilt from the database, and kept equal to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.errors import BadInputError
from mien.identity.index import FaceIndex, Hit
from mien.identity.rows import collection_row, name_context, template_context
from mien.identity.schema import faces, subjects
from mien.identity.store import Store
from mien.identity.template import decode
from mien.identity.vault import unseal
from mien.records import Float32, Match

_BATCH = 4096  # faces decrypted between two additions to the index


class Roster:
    """The index of one collection with the names and face ids behind it; not thread-safe.

    The index's keys are the faces' row ids and its groups the subjects'; both only ever grow, so that what is new can
    be told by its id.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._row: Row[Any] | None = None
        self._version = 0
        self._clear()

    def refresh(self) -> Row[Any]:
        """Take over what any process has changed since the last time; microseconds where nobody has.

        Returns:
            The row of the collection.

        Raises:
            BadInputError: `collection_missing` or `database_damaged`.
        """
        version = self._store.version()
        if self._row is None or version != self._version:
            with self._store.read() as connection:
                try:
                    row = collection_row(connection, self._name)
                except BadInputError:
                    self._clear()
                    raise
                if self._row is not None and row.id != self._row.id:  # erased and made anew
                    self._clear()
                if self._row is None or row.revision != self._row.revision:
                    self._catch_up(connection, row)
            self._row, self._version = row, version
        return self._row

    def size_if_current(self) -> int | None:
        """Number of faces, where that is known without asking the database."""
        if self._row is None or self._store.version() != self._version:
            return None
        return 0 if self._index is None else len(self._index)

    def search(self, probes: Float32, top: int, threshold: float) -> list[list[Match]]:
        """`FaceIndex.search` as matches, for the state of the last `refresh`."""
        if self._index is None:
            return [[] for _ in probes]
        return [[self._match(hit) for hit in hits] for hits in self._index.search(probes, top, threshold)]

    def closest(self, probe: Float32, subject: int) -> float | None:
        """Similarity of a probe `(D,)` with the closest face of a subject; None where it has no face."""
        hit = None if self._index is None else self._index.best_in_group(probe, subject)
        return None if hit is None else _cosine(hit.score)

    def _match(self, hit: Hit) -> Match:
        return Match(self._names[hit.group], _cosine(hit.score), self._face_ids[hit.key])

    def _clear(self) -> None:
        self._row = None
        self._index: FaceIndex | None = None
        self._names: dict[int, str] = {}
        self._face_ids: dict[int, str] = {}
        self._newest = 0

    def _catch_up(self, connection: Connection, row: Row[Any]) -> None:
        if row.dimension is None:
            return
        if self._index is None:
            self._index = FaceIndex(row.dimension)
        self._load(connection, row.id, self._index)
        inside = faces.join(subjects).select().where(subjects.c.collection_id == row.id)
        count = connection.execute(sql.select(sql.func.count()).select_from(inside.subquery())).scalar_one()
        if count != len(self._index):
            ids = connection.execute(inside.with_only_columns(faces.c.id)).scalars().all()
            self._drop(np.setdiff1d(self._index.keys, np.array(ids, np.int64)).tolist(), self._index)

    def _load(self, connection: Connection, collection: int, index: FaceIndex) -> None:
        """Decrypt the faces that came since the last time."""
        wanted = (
            sql.select(
                faces.c.id, faces.c.face_id, faces.c.template, subjects.c.id, subjects.c.blind_name, subjects.c.name,
                subjects.c.key,
            )
            .select_from(faces.join(subjects))
            .where(subjects.c.collection_id == collection, faces.c.id > self._newest)
            .order_by(faces.c.id)
        )  # fmt: skip
        keys: dict[int, bytes] = {}
        for batch in connection.execution_options(yield_per=_BATCH).execute(wanted).partitions():
            vectors = []
            for _, face_id, sealed, subject, blind_name, sealed_name, wrapped in batch:
                key = keys.get(subject) or keys.setdefault(subject, self._store.vault.subject_key(wrapped, blind_name))
                vectors.append(decode(unseal(key, sealed, template_context(face_id))).vector)
                if subject not in self._names:
                    self._names[subject] = unseal(key, sealed_name, name_context(blind_name)).decode()
            rows = [row[0] for row in batch]
            index.add(np.stack(vectors), rows, [row[3] for row in batch])
            self._face_ids.update((row[0], row[1]) for row in batch)
            self._newest = rows[-1]

    def _drop(self, gone: list[int], index: FaceIndex) -> None:
        index.remove(gone)
        for key in gone:
            del self._face_ids[key]
        present = set(index.groups.tolist())
        self._names = {subject: name for subject, name in self._names.items() if subject in present}


def _cosine(score: float) -> float:
    # unit vectors in float32 have norms that are off by some 1e-8
    return min(max(score, -1.0), 1.0)
