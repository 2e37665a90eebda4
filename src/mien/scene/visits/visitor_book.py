"""The visitors of one place while a run counts them: read once, kept one at a time, and forgotten in time."""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections import Counter
from typing import Any

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Row

from mien.errors import BadInputError
from mien.identity.store import Store, mark_purge
from mien.identity.vault import seal, unseal
from mien.scene.visits.visitor_schema import VISITORS, places, visitors
from mien.scene.visits.visits import Visitor

_log = logging.getLogger("mien.scene")

_DAY = 86_400.0
_LOOK_SECONDS = 600.0
"""So often a run that goes on looks whose time is over."""


class VisitorBook:
    """One place; `VisitorStore.book` makes it. Times are seconds since 1970, UTC.

    A place is written by one run at a time: the latest. An earlier one goes on counting, and keeps nothing more.

    Args:
        store: open.
        name: of a place that is there.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store, self.name = store, name
        self._run = secrets.token_bytes(16)
        self._is_ours = True
        self._keys: dict[int, tuple[bytes, bytes]] = {}
        self._looked = time.time()
        with store.write() as connection:
            connection.execute(places.update().where(places.c.name == name).values(run=self._run))
            self._place = connection.execute(sql.select(places.c.id).where(places.c.name == name)).scalar_one()

    def people(self, model: str, fingerprint: bytes) -> list[Visitor]:
        """Everybody who is remembered, as an earlier run left them.

        Args:
            model, fingerprint: the embedder of this run's looks, which the place is bound to from now on.

        Raises:
            BadInputError: `visitors_other_model`, or `visitors_damaged`.
        """
        with self._store.write() as connection:
            place = connection.execute(sql.select(places).where(places.c.id == self._place)).one()
            rows = connection.execute(
                sql.select(visitors).where(visitors.c.place_id == self._place).order_by(visitors.c.number)
            ).all()
            if rows and bytes(place.fingerprint) != fingerprint:
                raise BadInputError(
                    f"the visitors of {self.name!r} are remembered by looks of {place.model}, not of {model}; take "
                    f"another place, or erase them with `mien visitors forget {self.name}`",
                    code="visitors_other_model",
                )
            connection.execute(
                places.update().where(places.c.id == self._place).values(model=model, fingerprint=fingerprint)
            )
        return [self._read(row) for row in rows]

    def keep(self, person: Visitor) -> None:
        """Writes a visitor down, in the place of what was known before."""
        with self._store.write() as connection:
            if not self._may_write(connection):
                return
            if person.number not in self._keys:
                context = self._context(b"key", person.number)
                self._keys[person.number] = self._store.vault.new_subject_key(context)
            key, wrapped = self._keys[person.number]
            facts = seal(key, _written(person), self._context(b"facts", person.number))
            known = (visitors.c.place_id == self._place) & (visitors.c.number == person.number)
            values = {"key": wrapped, "facts": facts, "kept_at": time.time()}
            if not connection.execute(visitors.update().where(known).values(values)).rowcount:
                connection.execute(
                    visitors.insert().values(values | {"place_id": self._place, "number": person.number})
                )

    def expired(self) -> list[int]:
        """Erases who was kept for longer than the place says; their numbers. Looks every ten minutes only."""
        now = time.time()
        if now - self._looked < _LOOK_SECONDS:
            return []
        self._looked = now
        here = visitors.c.place_id == self._place
        with self._store.write() as connection:
            days = connection.execute(sql.select(places.c.keep_days).where(places.c.id == self._place)).scalar()
            if days is None:
                return list(self._keys)  # the place was forgotten meanwhile
            over = here & (visitors.c.kept_at < now - days * _DAY)
            gone = list(connection.execute(sql.select(visitors.c.number).where(over)).scalars())
            if not gone:
                return []
            connection.execute(visitors.delete().where(over))
            mark_purge(connection, VISITORS)
        self._store.purge()
        for number in gone:
            self._keys.pop(number, None)
        return gone

    def _may_write(self, connection: sql.engine.Connection) -> bool:
        run = connection.execute(sql.select(places.c.run).where(places.c.id == self._place)).scalar()
        if self._is_ours and run != self._run:
            self._is_ours = False
            _log.warning(
                "the visitors of %r are kept by another run now, or were forgotten; this one only goes on counting",
                self.name,
            )
        return self._is_ours

    def _read(self, row: Row[Any]) -> Visitor:
        try:
            key = self._store.vault.subject_key(row.key, self._context(b"key", row.number))
            facts = json.loads(unseal(key, row.facts, self._context(b"facts", row.number)))
        except BadInputError as error:
            raise BadInputError(
                f"what is remembered of visitor {row.number} of {self.name!r} was damaged or changed: erase the place "
                f"with `mien visitors forget {self.name}`",
                code="visitors_damaged",
            ) from error
        self._keys[row.number] = key, bytes(row.key)
        return Visitor(
            row.number,
            np.array(facts["feature"], np.float64),
            earlier=facts["visits"],
            last=facts["last"],
            sexes=Counter(facts["sexes"]),
            ages=tuple(facts["ages"]),
            is_staff=facts["is_staff"],
        )

    def _context(self, kind: bytes, number: int) -> bytes:
        return b"visitor\0" + kind + b"\0" + self._place.to_bytes(8, "little") + number.to_bytes(8, "little")


def _written(person: Visitor) -> bytes:
    """What is sealed of a visitor; which tracks they had, and where they were in the picture, is not kept."""
    record = {
        "feature": person.feature.round(5).tolist(),
        "visits": person.times,
        "last": person.last,
        "sexes": dict(person.sexes),
        "ages": list(person.ages),
        "is_staff": person.is_staff,
    }
    return json.dumps(record, separators=(",", ":")).encode()
