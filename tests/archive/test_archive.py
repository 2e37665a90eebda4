"""The archive's database: what is kept comes back, and what is erased or damaged does not."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from mien.archive.archive import Archive
from mien.archive.files import video_file
from mien.archive.finding import Finder
from mien.errors import BadInputError, UsageError

PIECE = 12
DAY = 86_400


def bytes_of_files(folder):
    return b"".join(file.read_bytes() for file in sorted(folder.iterdir()))


def stored(database, table, video):
    """The longer values of a video's rows."""
    key = "id" if table == "videos" else "video_id"
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(f"SELECT * FROM {table} WHERE {key} = ?", [video]).fetchall()
    return [value for row in rows for value in row if isinstance(value, bytes) and len(value) > 16]


def pieces_found(values, files):
    there = {files[start : start + PIECE] for start in range(len(files) - PIECE + 1)}
    return sum(value[start : start + PIECE] in there for value in values for start in range(len(value) - PIECE + 1))


def change(database, statement, *values):
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(statement, values).rowcount > 0
        connection.commit()


def test_tracks_come_back_as_they_were_kept(home, track, put):
    people = [track(number) for number in range(5)]
    with Archive.open() as archive:
        number = put(archive, "/a.mp4", people)
        put(archive, "/b.mp4", [])
    with Archive.open() as archive:
        first, second = archive.videos()
        assert (first.path, first.people, first.frames, first.seconds) == ("/a.mp4", 5, 200, 20.0)
        assert (second.path, second.people) == ("/b.mp4", 0)
        index = archive.index([number])
        (video, back), (_, other) = archive.tracks(index, [3, 1])
    assert video.to_dict() == first.to_dict()
    assert (back.track_id, other.track_id, back.began, back.frames) == (3, 1, 3.0, 90)
    assert back.shots[1].jpeg == people[3].shots[1].jpeg
    assert back.shots[1].box.tolist() == people[3].shots[1].box.tolist()
    np.testing.assert_allclose(back.features, people[3].features, atol=1e-3)  # stored in half precision
    np.testing.assert_allclose(back.path, people[3].path)
    assert (back.probabilities, back.upper) == (people[3].probabilities, {"blue": 1.0})


def test_nothing_that_tells_who_or_where_is_in_clear(home, track, put):
    one = track(7)
    with Archive.open() as archive:
        put(archive, "/secret/street.mp4", [one])
        files = bytes_of_files(home / "data")
    plain = [b"street.mp4", b"backpack", one.shots[0].jpeg[:40], one.features.astype(np.float16).tobytes()[:32]]
    assert not any(value in files for value in plain)


def test_nothing_of_a_forgotten_video_is_left_in_any_file(home, track, put):
    folder, database = home / "data", home / "data" / "archive.db"
    with Archive.open() as archive:
        numbers = [put(archive, f"/{at}.mp4", [track(20 * at + n) for n in range(20)]) for at in range(6)]
        gone = [value for table in ("videos", "tracks") for value in stored(database, table, numbers[2])]
        kept = [value for table in ("videos", "tracks") for value in stored(database, table, numbers[4])]
        assert all(value[:PIECE] in bytes_of_files(folder) for value in gone)
        assert archive.forget(numbers[2]) == 1
        assert pieces_found(gone, bytes_of_files(folder)) == 0
        assert len(archive.videos()) == 5
    files = bytes_of_files(folder)
    assert pieces_found(gone, files) == 0
    assert pieces_found(kept[:1], files) > 0


def test_what_is_kept_for_too_long_is_erased_without_residue(home, track, put):
    folder, database = home / "data", home / "data" / "archive.db"
    with Archive.open() as archive:
        old, new = (put(archive, f"/{name}.mp4", [track(at)]) for at, name in enumerate("ab"))
        gone = [value for table in ("videos", "tracks") for value in stored(database, table, old)]
        change(database, "UPDATE videos SET indexed_at = indexed_at - ? WHERE id = ?", 40 * DAY, old)
        assert archive.retain(60) == 0
        assert pieces_found(gone, bytes_of_files(folder)) > 0
        assert archive.retain(30) == 1
        assert [video.number for video in archive.videos()] == [new]
        assert pieces_found(gone, bytes_of_files(folder)) == 0
        assert archive.keep_days == 30
    change(database, "UPDATE videos SET indexed_at = indexed_at - ?", 31 * DAY)
    with Archive.open() as archive:  # opening erases, too
        assert archive.videos() == []
        assert archive.retain(None) == 0
        assert archive.keep_days is None
        with pytest.raises(UsageError, match="at least 1"):
            archive.retain(0)


def test_a_file_is_known_by_its_place_or_by_its_bytes(home, tmp_path, track, put):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"first")
    with Archive.open() as archive:
        file = video_file(path)
        assert archive.known(file) is None
        number = archive.add(
            file, file.digest(), [track(1)], seconds=1.0, frames=10, model="m", fingerprint=bytes(16)
        ).number
        assert archive.known(file).number == number
        moved = path.rename(tmp_path / "b.mp4")
        assert archive.known(video_file(moved)).number == number
        assert archive.videos()[0].path == str(moved)
        moved.write_bytes(b"second")
        changed = video_file(moved)
        assert archive.known(changed) is None
        archive.add(changed, changed.digest(), [], seconds=2.0, frames=20, model="m", fingerprint=bytes(16))
        assert [video.seconds for video in archive.videos()] == [2.0]  # what the path held before is gone


def test_an_interrupted_write_leaves_nothing(home, track, put):
    broken = track(2, probabilities={"male": object()})
    with Archive.open() as archive:
        with pytest.raises(AttributeError):
            put(archive, "/a.mp4", [track(1), broken, 3])
        assert archive.videos() == []


@pytest.mark.parametrize("part", ["facts", "features", "key"])
def test_a_damaged_video_is_named_and_can_be_forgotten(home, track, put, part):
    database = home / "data" / "archive.db"
    with Archive.open() as archive:
        number = put(archive, "/a.mp4", [track(1)])
        with closing(sqlite3.connect(database)) as connection:
            (value,) = connection.execute(f"SELECT {part} FROM videos").fetchone()
        change(database, f"UPDATE videos SET {part} = ?", value[:20] + bytes([value[20] ^ 1]) + value[21:])
        with pytest.raises(BadInputError) as caught:
            Finder(archive)
        assert caught.value.code == "archive_damaged"
        assert f"mien archive forget {number}" in str(caught.value)
        assert archive.forget(archive.number_of(str(number))) == 1


def test_tracks_that_were_swapped_or_taken_away_are_noticed(home, track, put):
    database = home / "data" / "archive.db"
    with Archive.open() as archive:
        number = put(archive, "/a.mp4", [track(1), track(2)])
        index = archive.index([number])
        change(database, "UPDATE tracks SET number = 7 WHERE number = 0")
        change(database, "UPDATE tracks SET number = 0 WHERE number = 1")
        with pytest.raises(BadInputError) as caught:
            archive.tracks(index, [0])
        assert caught.value.code == "archive_damaged"
        change(database, "DELETE FROM tracks WHERE number = 7")
        with pytest.raises(BadInputError) as caught:
            archive.tracks(index, [1])
        assert caught.value.code == "archive_damaged"


def test_an_archive_of_a_newer_version_is_refused(home):
    Archive.open().close()
    change(home / "data" / "archive.db", "UPDATE mien_archive SET schema_version = 99")
    with pytest.raises(BadInputError) as caught:
        Archive.open()
    assert caught.value.code == "database_newer"
    assert "update mien" in str(caught.value)


def test_without_its_master_key_it_stays_closed(home):
    Archive.open().close()
    (home / "keys" / "master.key").unlink()
    with pytest.raises(BadInputError) as caught:
        Archive.open()
    assert caught.value.code == "master_key_missing"
    (home / "keys" / "master.key").write_bytes(bytes(32))
    with pytest.raises(BadInputError) as caught:
        Archive.open()
    assert caught.value.code == "master_key_wrong"


def test_a_gallery_is_no_archive(home):
    from mien.identity.gallery import Gallery

    Gallery.open(home / "data" / "archive.db").close()
    with pytest.raises(BadInputError) as caught:
        Archive.open()
    assert caught.value.code == "database_foreign"
    assert "not a mien archive" in str(caught.value)


def test_a_closed_archive_says_so(home):
    archive = Archive.open()
    archive.close()
    with pytest.raises(UsageError) as caught:
        archive.videos()
    assert caught.value.code == "archive_closed"
