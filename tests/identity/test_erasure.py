"""What is erased is in no file any more: its ciphertext, wrapped key and blind index neither, nor pieces of them."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from mien.errors import MienError
from mien.identity import store
from mien.identity.gallery import Gallery
from mien.identity.schema import collections, subjects
from mien.identity.template import encode

PIECE = 12


def bytes_of_files(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def traces_by_subject(database: Path) -> dict[int, list[bytes]]:
    """Everything stored about each subject, by its row id."""
    with closing(sqlite3.connect(database)) as connection:
        traces = {row[0]: list(row[1:]) for row in connection.execute("SELECT id, blind_name, name, key FROM subjects")}
        for subject, *values in connection.execute("SELECT subject_id, face_id, template, blind_source FROM faces"):
            traces[subject] += [value.encode() if isinstance(value, str) else value for value in values]
    return traces


def pieces_found(values: list[bytes], files: bytes) -> int:
    """How many pieces of the values, at any offset, the files hold."""
    there = {files[start : start + PIECE] for start in range(len(files) - PIECE + 1)}
    return sum(value[start : start + PIECE] in there for value in values for start in range(len(value) - PIECE + 1))


def enroll_many(gallery, person, count):
    order = np.random.default_rng(0).permutation(count)
    for number in order:
        gallery["staff"].enroll_templates(
            f"Person number {number}",
            [person(int(number)), person(int(number) + 10_000)],
            sources=[f"a{number}".encode(), f"b{number}".encode()],
        )
    return order


def test_nothing_of_the_erased_is_left_in_any_file(home, person):
    folder = home / "data"
    with Gallery.open() as gallery:
        order = enroll_many(gallery, person, 120)
        staff = gallery["staff"]
        plain = [f"Person number {number}".encode() for number in range(120)]
        plain += [person(number).vector.tobytes() for number in range(120)] + [encode(person(3))]
        before = bytes_of_files(folder)
        assert not any(value in before for value in plain)
        traces = {order[row - 1]: values for row, values in traces_by_subject(folder / "gallery.db").items()}
        assert all(value in before for values in traces.values() for value in values)

        for number in (17, 90):
            assert staff.erase(f"Person number {number}") == 2
            assert pieces_found(traces[number], bytes_of_files(folder)) == 0
        many = list(range(40, 80))
        staff.erase(*(f"Person number {number}" for number in many))
        files = bytes_of_files(folder)
        assert pieces_found([value for number in many for value in traces[number]], files) == 0
        kept = [value for number in range(100, 120) for value in traces[number]]
        assert all(value in files for value in kept)
        assert len(staff) == 2 * (120 - 42)
    assert pieces_found(traces[17], bytes_of_files(folder)) == 0


def test_a_face_and_a_collection_are_erased_as_thoroughly(home, person):
    folder = home / "data"
    with Gallery.open() as gallery:
        enroll_many(gallery, person, 20)
        staff = gallery["staff"]
        face = staff.faces("Person number 5")[0].face_id
        with closing(sqlite3.connect(folder / "gallery.db")) as connection:
            (template,) = connection.execute("SELECT template FROM faces WHERE face_id = ?", [face]).fetchone()
        assert template in bytes_of_files(folder)
        staff.erase_face(face)
        assert pieces_found([template, face.encode()], bytes_of_files(folder)) == 0
        assert staff.subject_count == 20
        staff.erase_face(staff.faces("Person number 5")[0].face_id)
        assert staff.subject_count == 19

        rest = [value for values in traces_by_subject(folder / "gallery.db").values() for value in values]
        gallery.delete("staff")
        assert pieces_found(rest, bytes_of_files(folder)) == 0
        assert b"staff" not in bytes_of_files(folder)


def test_deleting_rows_alone_would_leave_traces(home, person):
    """Why an erasure ends with a purge: old states stay in the write-ahead log."""
    folder = home / "data"
    with Gallery.open() as gallery:
        enroll_many(gallery, person, 20)
        traces = traces_by_subject(folder / "gallery.db")
        with gallery._store.write() as connection:
            connection.exec_driver_sql("DELETE FROM faces")
            connection.exec_driver_sql("DELETE FROM subjects")
        assert pieces_found(traces[1], bytes_of_files(folder)) > 0


def test_stale_copies_that_sqlite_leaves_in_split_and_merged_pages_go_too(tmp_path):
    """With this seed SQLite 3.40 keeps a deleted key in a page that was rebuilt, in spite of `secure_delete`."""
    database = tmp_path / "gallery.db"
    chance = random.Random(4)
    rows = [
        {
            "id": number + 1,
            "collection_id": 1,
            "blind_name": chance.randbytes(32),
            "name": chance.randbytes(40),
            "key": chance.randbytes(60),
            "enrolled_at": 0.0,
        }
        for number in range(1000)
    ]
    erased = chance.sample(rows, 900)
    with closing(store.Store(database, tmp_path / "master.key")) as opened:
        with opened.write() as connection:
            connection.execute(
                collections.insert().values(name="x", model="", fingerprint=b"", watch_list=False, revision=0)
            )
            connection.execute(subjects.insert(), rows)
            for row in erased:
                connection.execute(subjects.delete().where(subjects.c.id == row["id"]))
            store.mark_purge(connection)
        values = [value for row in erased for value in (row["blind_name"], row["name"], row["key"])]
        with closing(sqlite3.connect(database)) as connection:
            assert connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        stale = pieces_found(values, bytes_of_files(tmp_path))
        opened.purge()
        assert pieces_found(values, bytes_of_files(tmp_path)) == 0
    if not stale:
        pytest.skip(f"SQLite {sqlite3.sqlite_version} left no stale copy that the purge could remove")


def test_an_erasure_that_a_reader_held_up_is_finished_at_the_next_opening(home, person, monkeypatch):
    monkeypatch.setattr(store, "BUSY_SECONDS", 0.05)
    folder = home / "data"
    database = folder / "gallery.db"
    with Gallery.open() as gallery, closing(sqlite3.connect(database, isolation_level=None)) as reader:
        enroll_many(gallery, person, 20)
        traces = [value for values in traces_by_subject(database).values() for value in values]
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM faces").fetchone()
        with pytest.raises(MienError) as caught:
            gallery["staff"].erase(*(f"Person number {number}" for number in range(20)))
        assert caught.value.code == "erase_incomplete"
        assert len(gallery["staff"]) == 0
        assert pieces_found(traces, bytes_of_files(folder)) > 0
        reader.execute("COMMIT")
        with Gallery.open():
            assert pieces_found(traces, bytes_of_files(folder)) == 0
