import logging
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import pytest
import sqlalchemy as sql

from mien.errors import BadInputError, MienError, UsageError
from mien.identity import schema, store
from mien.identity.store import Store, mark_purge


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "gallery.db"


@pytest.fixture
def key(tmp_path):
    return tmp_path / "keys" / "master.key"


def make(path, key):
    Store(path, key).close()


def refusal(path, key):
    with pytest.raises(BadInputError) as caught:
        Store(path, key)
    return caught.value


def test_every_file_is_private_and_every_connection_durable(path, key):
    old = os.umask(0)
    try:
        opened = Store(path, key)
        with opened.write() as connection:
            mark_purge(connection)
    finally:
        os.umask(old)
    assert sorted(file.name for file in path.parent.iterdir()) == ["gallery.db", "gallery.db-shm", "gallery.db-wal"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with opened.read() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "foreign_keys": 1}
    opened.close()


def test_a_lost_key_is_not_replaced(path, key):
    make(path, key)
    saved = key.read_bytes()
    key.unlink()
    error = refusal(path, key)
    assert error.code == "master_key_missing"
    assert str(key) in str(error)
    assert "backup" in str(error)
    assert not key.exists()
    key.write_bytes(saved)
    make(path, key)


def test_another_key_is_refused(path, key, tmp_path):
    make(path, key)
    other = tmp_path / "other.key"
    make(tmp_path / "other.db", other)
    error = refusal(path, other)
    assert error.code == "master_key_wrong"
    assert str(other) in str(error)
    assert key.read_bytes().hex() not in str(error)


def test_a_newer_database_is_refused_and_left_alone(path, key):
    make(path, key)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE mien_gallery SET schema_version = 9")
    error = refusal(path, key)
    assert error.code == "database_newer"
    assert "version 9" in str(error)
    assert "update mien" in str(error)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT schema_version FROM mien_gallery").fetchone() == (9,)


def test_files_that_are_no_gallery_are_refused(path, key):
    path.parent.mkdir()
    path.write_bytes(b"this is a text, and a long enough one to be read as a header of a database" * 20)
    before = path.read_bytes()
    assert refusal(path, key).code == "database_damaged"
    assert path.read_bytes() == before
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    assert refusal(path, key).code == "database_foreign"
    assert refusal(path.parent, key).code == "database_directory"
    assert refusal(path / "below.db", key).code == "database_unreadable"
    assert not key.exists()


def test_a_truncated_database_is_damaged(path, key):
    make(path, key)
    path.write_bytes(path.read_bytes()[:5000])
    assert refusal(path, key).code == "database_damaged"


def test_an_empty_file_becomes_a_gallery(path, key):
    path.parent.mkdir()
    path.touch()
    make(path, key)
    make(path, key)


def test_a_transaction_that_raises_leaves_nothing(path, key):
    with closing(Store(path, key)) as opened:

        def fail():
            with opened.write() as connection:
                mark_purge(connection)
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fail()
        assert not pending(opened)


def test_a_writer_that_waits_too_long_says_so(path, key, monkeypatch):
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    with closing(Store(path, key)) as opened, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BadInputError) as caught, opened.write():
            pass
        assert caught.value.code == "database_busy"
        other.execute("COMMIT")
        with opened.write():
            pass


def test_the_version_changes_with_every_change_of_anybody(path, key):
    with closing(Store(path, key)) as opened, closing(Store(path, key)) as other:
        seen = [opened.version()]
        assert opened.version() == seen[0]
        for number, writer in enumerate((opened, other, opened)):
            with writer.write() as connection:
                connection.execute(schema.gallery.update().values(proof=bytes([number])))
            seen.append(opened.version())
    assert len(set(seen)) == 4


def test_threads_share_a_store(path, key):
    def add(number):
        with opened.write() as connection:
            connection.execute(
                schema.collections.insert().values(
                    name=f"c{number}", model="", fingerprint=b"", watch_list=False, revision=0
                )
            )
        with opened.read() as connection:
            return connection.execute(sql.select(sql.func.count()).select_from(schema.collections)).scalar_one()

    with closing(Store(path, key)) as opened, ThreadPoolExecutor(8) as pool:
        assert max(pool.map(add, range(40))) == 40


def test_processes_that_make_one_gallery_together_agree(path, key):
    with get_context("fork").Pool(4) as pool:
        pool.starmap(make, [(path, key)] * 8, chunksize=1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM mien_gallery").fetchone() == (1,)


def test_a_reader_that_holds_an_old_state_is_reported_and_the_next_opening_finishes(path, key, monkeypatch, caplog):
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    with closing(Store(path, key)) as opened, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM mien_gallery").fetchall()
        with opened.write() as connection:
            mark_purge(connection)
        with pytest.raises(MienError, match="still reading") as caught:
            opened.purge()
        assert caught.value.code == "erase_incomplete"
        assert pending(opened)
        with caplog.at_level(logging.WARNING, "mien.identity"):
            make(path, key)  # opens in spite of it
        assert "traces" in caplog.text
        reader.execute("COMMIT")
        make(path, key)
        assert not pending(opened)


def pending(opened):
    with opened.read() as connection:
        return connection.execute(sql.select(schema.gallery.c.erasures - schema.gallery.c.purged)).scalar_one()


def test_a_closed_store_says_so(path, key):
    opened = Store(path, key)
    opened.close()
    opened.close()
    for use in (opened.version, opened.purge, lambda: opened.read().__enter__(), lambda: opened.write().__enter__()):
        with pytest.raises(UsageError) as caught:
            use()
        assert caught.value.code == "gallery_closed"


def test_no_value_is_in_the_text_of_a_database_error(path, key):
    with closing(Store(path, key)) as opened:
        row = {"name": "x", "model": "a secret", "fingerprint": b"", "watch_list": False, "revision": 0}
        with pytest.raises(sql.exc.IntegrityError) as caught, opened.write() as connection:
            connection.execute(schema.collections.insert(), [row, row])
    assert "a secret" not in str(caught.value)
