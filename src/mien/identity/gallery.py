"""The gallery: an embedded, encrypted database of collections."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Self

import sqlalchemy as sql

from mien.errors import BadInputError, UsageError
from mien.identity.collection import Collection
from mien.identity.names import proper_name
from mien.identity.rows import collection_row
from mien.identity.schema import collections, faces, subjects
from mien.identity.store import Store, mark_purge
from mien.identity.store_owner import StoreOwner
from mien.identity.template import check_fingerprint
from mien.identity.writing import add_collection
from mien.settings import settings

__all__ = ["Collection", "Gallery"]


class Gallery(StoreOwner):
    """One database of collections; thread-safe, shared with other processes, a context manager.

    Example:
        >>> with Gallery.open("people.db") as gallery:  # doctest: +SKIP
        ...     gallery["staff"].enroll_templates("ada", [template])
        ...     gallery["staff"].search_template(probe, threshold=0.5)
        [Match(subject='ada', similarity=0.72, face_id='5d0c...')]
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._lock = Lock()
        self._collections: dict[str, Collection] = {}

    @classmethod
    def open(cls, path: str | Path | None = None) -> Self:
        """Open the gallery at `path`, made where there is none; None takes `gallery.db` in the data folder.

        Raises:
            UsageError: `database_url`.
            BadInputError: a `database_*` or `master_key_*`, see `Store`.
        """
        if isinstance(path, str) and "://" in path:
            raise UsageError(
                f"the gallery {path.split('://')[0]}://... is a URL; give a file's path", code="database_url"
            )
        file = settings().data / "gallery.db" if path is None else Path(path)
        return cls(Store(file, settings().key_file))

    def __getitem__(self, name: str) -> Collection:
        """The collection of that name, which need not exist: its first enrollment makes it.

        Raises:
            BadInputError: a `name_*`.
        """
        name = proper_name(name, "collection")
        with self._lock:
            return self._collections.setdefault(name, Collection(self._store, name))

    def collections(self) -> list[str]:
        """The names of the collections, sorted."""
        with self._store.read() as connection:
            return sorted(connection.execute(sql.select(collections.c.name)).scalars())

    def create(self, name: str, *, model: str, fingerprint: bytes, watch_list: bool = False) -> Collection:
        """Make an empty collection.

        Args:
            name: of the collection.
            model: name of its embedder.
            fingerprint: the embedder's, 16 bytes.
            watch_list: whether recognizing one of its subjects raises an alarm.

        Raises:
            BadInputError: `collection_exists`, `template_fingerprint` or a `name_*`.
        """
        collection = self[name]
        check_fingerprint(fingerprint)
        with self._store.write() as connection:
            same_name = sql.select(collections.c.id).where(collections.c.name == collection.name)
            if connection.execute(same_name).one_or_none() is not None:
                raise BadInputError(
                    f"there is a collection {name!r} already: take another name, or delete it first",
                    code="collection_exists",
                )
            add_collection(connection, collection.name, model=model, fingerprint=fingerprint, watch_list=watch_list)
        return collection

    def delete(self, name: str) -> None:
        """Delete a collection and erase all its subjects as `Collection.erase` does.

        Raises:
            BadInputError: `collection_missing`.
            MienError: `erase_incomplete`: see `Store.purge`.
        """
        name = proper_name(name, "collection")
        with self._store.write() as connection:
            row = collection_row(connection, name)
            inside = sql.select(subjects.c.id).where(subjects.c.collection_id == row.id)
            connection.execute(faces.delete().where(faces.c.subject_id.in_(inside)))
            connection.execute(subjects.delete().where(subjects.c.collection_id == row.id))
            connection.execute(collections.delete().where(collections.c.id == row.id))
            mark_purge(connection)
        with self._lock:
            self._collections.pop(name, None)
        self._store.purge()
