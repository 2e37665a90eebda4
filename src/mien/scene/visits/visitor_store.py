"""Visitors who are known again in a later run: their looks, sealed, in an embedded database, for so many days."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self

import sqlalchemy as sql

from mien.errors import BadInputError, UsageError
from mien.identity.names import proper_name
from mien.identity.store import Store, mark_purge
from mien.identity.store_owner import StoreOwner
from mien.scene.visits.visitor_book import VisitorBook
from mien.scene.visits.visitor_schema import VISITORS, places, visitors
from mien.settings import settings

KEEP_DAYS = 1
"""Looks are clothes: after a night they tell little, and what tells little is not kept."""
_DAY = 86_400.0


class Place(NamedTuple):
    """A place: how many visitors are remembered there, and for how many days."""

    name: str
    visitors: int
    keep_days: int


class VisitorStore(StoreOwner):
    """Places with their visitors; thread-safe. What was kept for longer than it may be is erased at every opening.

    Example:
        >>> with VisitorStore.open() as store:  # doctest: +SKIP
        ...     store.places()
        [Place(name='shop', visitors=31, keep_days=1)]
    """

    @classmethod
    def open(cls, path: str | Path | None = None) -> Self:
        """Open the database at `path`, made where there is none; None takes `visitors.db` in the data folder.

        Raises:
            BadInputError: a `database_*` or `master_key_*`, see `Store`.
        """
        file = settings().data / "visitors.db" if path is None else Path(path)
        opened = cls(Store(file, settings().key_file, VISITORS))
        with ExitStack() as undo:
            undo.callback(opened.close)
            opened.expire()
            undo.pop_all()
        return opened

    def places(self) -> list[Place]:
        """All places by name."""
        number = sql.func.count(visitors.c.id)
        wanted = sql.select(places.c.name, number.label("visitors"), places.c.keep_days)
        grouped = wanted.outerjoin_from(places, visitors).group_by(places.c.id).order_by(places.c.name)
        with self._store.read() as connection:
            return [Place(*row) for row in connection.execute(grouped)]

    def book(self, name: str) -> VisitorBook:
        """The visitors of a place, for one run; made where there is none.

        Raises:
            BadInputError: a `name_*`.
        """
        name = proper_name(name, "place")
        with self._store.write() as connection:
            if connection.execute(sql.select(places.c.id).where(places.c.name == name)).first() is None:
                values = {"name": name, "keep_days": KEEP_DAYS, "model": "", "fingerprint": b"", "run": b""}
                connection.execute(places.insert().values(values))
        return VisitorBook(self._store, name)

    def retain(self, name: str, days: int) -> int:
        """For how many days visitors of a place are kept; erases at once who was kept for longer: how many they were.

        Raises:
            UsageError: `visitors_days`: not at least 1.
            BadInputError: `place_missing`.
        """
        if days < 1:
            raise UsageError(f"keep-days is {days}; give at least 1", code="visitors_days")
        number = self._number(name)
        with self._store.write() as connection:
            connection.execute(places.update().where(places.c.id == number).values(keep_days=days))
        return self.expire()

    def forget(self, name: str) -> int:
        """Erase a place with all its visitors from every file of the database; how many they were.

        Raises:
            BadInputError: `place_missing`.
            MienError: `erase_incomplete`: see `Store.purge`.
        """
        number = self._number(name)
        with self._store.write() as connection:
            erased = connection.execute(visitors.delete().where(visitors.c.place_id == number)).rowcount
            connection.execute(places.delete().where(places.c.id == number))
            mark_purge(connection, VISITORS)
        self._store.purge()
        return erased

    def expire(self, now: float | None = None) -> int:
        """Erase who was kept for longer than their place says; how many they were.

        Args:
            now: seconds since 1970, UTC; None asks the clock.
        """
        now = time.time() if now is None else now
        limit = now - _DAY * sql.select(places.c.keep_days).where(places.c.id == visitors.c.place_id).scalar_subquery()
        with self._store.write() as connection:
            erased = connection.execute(visitors.delete().where(visitors.c.kept_at < limit)).rowcount
            if erased:
                mark_purge(connection, VISITORS)
        if erased:
            self._store.purge()
        return erased

    def _number(self, name: str) -> int:
        with self._store.read() as connection:
            row = connection.execute(sql.select(places.c.id).where(places.c.name == name)).first()
        if row is None:
            raise BadInputError(
                f"no visitors are remembered of a place {name!r}; `mien visitors list` shows the places",
                code="place_missing",
            )
        return int(row.id)
