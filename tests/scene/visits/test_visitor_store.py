"""Visitors who are remembered between runs: sealed, bound to one embedder, erased in time and without residue."""

import logging
import time

import numpy as np
import pytest
import sqlalchemy as sql

from mien.errors import BadInputError, UsageError
from mien.identity.store import Store
from mien.scene.visits import visitor_book
from mien.scene.visits.visitor_schema import VISITORS, visitors
from mien.scene.visits.visitor_store import VisitorStore
from mien.scene.visits.visits import Visits
from mien.settings import settings

MODEL = ("net", b"f" * 16)


def unit(*values):
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


ADA, BOB = unit(1, 0, 0), unit(0, 1, 0)
MORNING = 1.8e9


def run(book, *stays, **facts):
    """One run at a place: looks with the seconds after `MORNING` at which they come."""
    visits = Visits(threshold=0.5, known=book.people(*MODEL))
    told = []
    for look, began in stays:
        told.append(tuple(visits.add(look, began=MORNING + began, ended=MORNING + began + 10, **facts)))
        book.keep(visits.person(told[-1][0]))
    return told, visits.summary()


def every_byte(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_a_later_run_knows_who_came_before(home):
    with VisitorStore.open() as store:
        assert run(store.book("shop"), (ADA, 0), (BOB, 20), sex="female", age=30.0)[0] == [(1, 1), (2, 1)]
    with VisitorStore.open() as store:
        told, summary = run(store.book("shop"), (unit(0, 0, 1), 3600), (ADA, 3600), (ADA, 7200))
        assert told == [(3, 1), (1, 2), (1, 3)]
        assert (summary["visitors"], summary["returning"], summary["visits"]) == (2, 1, 3)  # Bob did not come
        assert summary["sex"] == {"male": 0, "female": 1, "unknown": 1}
        assert [tuple(place) for place in store.places()] == [("shop", 3, 1)]
        assert run(store.book("hall"), (ADA, 9000))[0] == [(1, 1)]  # places know nothing of each other


def test_a_visit_that_an_interruption_cut_in_two_is_one(home):
    with VisitorStore.open() as store:
        run(store.book("shop"), (ADA, 0))
        told, summary = run(store.book("shop"), (ADA, 60))
    assert told == [(1, 1)]
    assert (summary["visits"], summary["returning"]) == (1, 0)


def test_nothing_of_a_visitor_is_in_clear_and_nothing_is_left_when_erased(home):
    with VisitorStore.open() as store:
        book = store.book("shop")
        run(book, (ADA, 0), sex="female", age=30.0)
        with store._store.read() as connection:
            row = connection.execute(sql.select(visitors)).one()
        for secret in (b"female", b"feature", ADA.tobytes(), ADA.astype(np.float64).tobytes(), b"[1.0"):
            assert secret not in every_byte(home / "data")
        assert row.facts in every_byte(home / "data")
        assert store.forget("shop") == 1
        for value in (row.facts, row.key, row.facts[:24]):
            assert value not in every_byte(home / "data")
        with pytest.raises(BadInputError) as caught:
            store.forget("shop")
    assert caught.value.code == "place_missing"
    assert (home / "data" / "visitors.db").stat().st_mode & 0o077 == 0


def test_who_was_kept_for_long_enough_is_erased_at_the_next_opening(home, monkeypatch):
    with VisitorStore.open() as store:
        run(store.book("shop"), (ADA, 0))
        run(store.book("hall"), (ADA, 0))
        assert store.retain("hall", 3) == 0
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 86_400 * 1.5)
    with VisitorStore.open() as store:
        assert [tuple(place) for place in store.places()] == [("hall", 1, 3), ("shop", 0, 1)]
        with pytest.raises(UsageError) as caught:
            store.retain("hall", 0)
        assert caught.value.code == "visitors_days"
        assert store.retain("hall", 1) == 1


def test_a_run_that_goes_on_for_days_forgets_too(home, monkeypatch):
    with VisitorStore.open() as store:
        book = store.book("shop")
        run(book, (ADA, 0))
        assert book.expired() == []
        now = time.time()
        monkeypatch.setattr(visitor_book.time, "time", lambda: now + 86_401)
        assert book.expired() == [1]
        assert store.places()[0].visitors == 0


def test_the_latest_run_has_the_place(home, caplog):
    with VisitorStore.open() as store:
        first = store.book("shop")
        run(first, (ADA, 0))
        second = store.book("shop")
        with caplog.at_level(logging.WARNING, "mien.scene"):
            run(first, (ADA, 900), (BOB, 920))
        assert store.places()[0].visitors == 1
        assert len(caplog.records) == 1
        assert run(second, (BOB, 1000))[0] == [(2, 1)]


def test_looks_of_another_embedder_are_refused(home):
    with VisitorStore.open() as store:
        run(store.book("shop"), (ADA, 0))
        with pytest.raises(BadInputError) as caught:
            store.book("shop").people("other", b"o" * 16)
        assert caught.value.code == "visitors_other_model"
        assert store.book("empty").people("other", b"o" * 16) == []


def test_a_changed_row_is_told(home):
    with VisitorStore.open() as store:
        run(store.book("shop"), (ADA, 0), (BOB, 0))
        with store._store.write() as connection:
            first = sql.select(visitors.c.facts).where(visitors.c.number == 1).scalar_subquery()
            connection.execute(visitors.update().where(visitors.c.number == 2).values(facts=first))
        with pytest.raises(BadInputError) as caught:
            store.book("shop").people(*MODEL)
    assert caught.value.code == "visitors_damaged"
    assert "visitor 2" in str(caught.value)


def test_another_database_is_refused(home):
    Store(home / "data" / "visitors.db", settings().key_file).close()
    with pytest.raises(BadInputError) as caught:
        VisitorStore.open()
    assert caught.value.code == "database_foreign"
    assert VISITORS.word in str(caught.value)
