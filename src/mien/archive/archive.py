"""The archive: an embedded, encrypted database of the people who were followed in stored videos."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import sqlalchemy as sql
from sqlalchemy.engine import Connection, Row

from mien.archive.files import VideoFile
from mien.archive.index import TrackIndex, index_of
from mien.archive.records import Track, Video
from mien.archive.rows import (
    add_video,
    blind_content,
    blind_path,
    blind_stamp,
    damaged,
    move_video,
    read_features,
    read_track,
    read_video,
    track_rows,
)
from mien.archive.schema import ARCHIVE, archive, tracks, videos
from mien.errors import BadInputError, UsageError
from mien.identity.store import Store, mark_purge
from mien.identity.store_owner import StoreOwner
from mien.settings import settings

_DAY = 86_400.0
_SEARCHED = (videos.c.rows, videos.c.features, videos.c.looks)
"""What is large, and read only to be searched."""
_KNOWN = tuple(column for column in videos.c if column.name not in {large.name for large in _SEARCHED})


class Archive(StoreOwner):
    """Videos, indexed once and searched again and again; thread-safe, shared with other processes.

    What has been kept for longer than it may be is erased when the archive is opened, and by `expire`.

    Example:
        >>> with Archive.open() as archive:  # doctest: +SKIP
        ...     [video.path for video in archive.videos()]
        ['/videos/monday.mp4']
    """

    @classmethod
    def open(cls, path: str | Path | None = None) -> Self:
        """Open the archive at `path`, made where there is none; None takes `archive.db` in the data folder.

        Raises:
            BadInputError: a `database_*` or `master_key_*`, see `Store`.
        """
        file = settings().data / "archive.db" if path is None else Path(path)
        opened = cls(Store(file, settings().key_file, ARCHIVE))
        with ExitStack() as undo:
            undo.callback(opened.close)
            opened.expire()
            undo.pop_all()
        return opened

    def videos(self) -> list[Video]:
        """All videos, in the order of their indexing.

        Raises:
            BadInputError: `archive_damaged`.
        """
        with self._store.read() as connection:
            return [read_video(self._store.vault, row) for row in _video_rows(connection)]

    def known(self, file: VideoFile) -> Video | None:
        """The video of a file that is here already: the same place, size and time of change, or else the same bytes.

        Raises:
            BadInputError: `archive_damaged` or `file_unreadable`.
        """
        vault = self._store.vault
        with self._store.read() as connection:
            row = _one(connection, videos.c.blind_stamp == blind_stamp(vault, file))
            if row is not None:
                return read_video(vault, row)
            if not connection.execute(sql.select(sql.func.count()).select_from(videos)).scalar_one():
                return None
        content = blind_content(vault, file.digest())
        with self._store.write() as connection:
            row = _one(connection, videos.c.blind_content == content)
            if row is None:
                return None
            at_path = _one(connection, videos.c.blind_path == blind_path(vault, file.path))
            if at_path is not None and at_path.id != row.id:  # another video was there; it is indexed by its own bytes
                _erase(connection, [at_path.id])
            move_video(connection, vault, row, file)
            moved = _one(connection, videos.c.id == row.id)
            assert moved is not None
            known = read_video(vault, moved)
        self._store.purge()
        return known

    def add(
        self,
        file: VideoFile,
        digest: str,
        found: Sequence[Track],
        *,
        seconds: float,
        frames: int,
        model: str,
        fingerprint: bytes,
    ) -> Video:
        """Keep a video with its tracks, all or nothing; what was kept of the same file, or of the same path, is erased.

        Args:
            file, digest: the file and its `VideoFile.digest`.
            found: its tracks.
            seconds, frames: time of the last frame, and how many there were.
            model, fingerprint: embedder of the tracks' features.

        Raises:
            BadInputError: a `database_*`.
        """
        vault = self._store.vault
        with self._store.write() as connection:
            same = sql.or_(
                videos.c.blind_content == blind_content(vault, digest),
                videos.c.blind_path == blind_path(vault, file.path),
            )
            _erase(connection, list(connection.execute(sql.select(videos.c.id).where(same)).scalars()))
            number = add_video(
                connection,
                vault,
                file,
                digest,
                found,
                {"seconds": seconds, "frames": frames},
                {"model": model, "fingerprint": fingerprint, "indexed_at": time.time()},
            )
            row = _one(connection, videos.c.id == number)
            assert row is not None
            video = read_video(vault, row)
        self._store.purge()
        return video

    def forget(self, *numbers: int) -> int:
        """Erase videos: tracks, thumbnails, names and keys, from every file of the database; how many there were.

        Raises:
            MienError: `erase_incomplete`: see `Store.purge`.
        """
        with self._store.write() as connection:
            known = videos.c.id.in_(numbers)
            there = list(connection.execute(sql.select(videos.c.id).where(known)).scalars())
            _erase(connection, there)
        self._store.purge()
        return len(there)

    def number_of(self, name: str) -> int:
        """The number of a video given by its path, where it was last named, or by its number.

        Raises:
            BadInputError: `archive_video_missing`.
        """
        path = blind_path(self._store.vault, os.path.abspath(name))
        condition = videos.c.blind_path == path
        if name.isdecimal() and len(name) < 10:
            condition = sql.or_(condition, videos.c.id == int(name))
        with self._store.read() as connection:
            row = connection.execute(sql.select(videos.c.id).where(condition)).first()
        if row is None:
            raise BadInputError(
                f"the archive holds no video {name!r}; `mien archive list` shows those that it holds",
                code="archive_video_missing",
            )
        return int(row.id)

    @property
    def keep_days(self) -> int | None:
        """For how many days from its indexing a video's people are kept; None for ever."""
        with self._store.read() as connection:
            days = connection.execute(sql.select(archive.c.keep_days)).scalar_one()
            return None if days is None else int(days)

    def retain(self, days: int | None) -> int:
        """Set `keep_days`, and erase at once what has been kept for longer; how many videos that were.

        Raises:
            UsageError: `archive_days`: not at least 1.
        """
        if days is not None and days < 1:
            raise UsageError(f"keep-days is {days}; give at least 1", code="archive_days")
        with self._store.write() as connection:
            connection.execute(archive.update().values(keep_days=days))
        return self.expire()

    def expire(self, now: float | None = None) -> int:
        """Erase what has been kept for longer than `keep_days`; how many videos that were.

        Args:
            now: seconds since 1970, UTC; None asks the clock.
        """
        days = self.keep_days
        if days is None:
            return 0
        limit = (time.time() if now is None else now) - days * _DAY
        with self._store.read() as connection:
            over = list(connection.execute(sql.select(videos.c.id).where(videos.c.indexed_at < limit)).scalars())
        return self.forget(*over) if over else 0

    def index(self, numbers: Sequence[int]) -> TrackIndex:
        """The features of everybody in these videos, which are of one embedder.

        Raises:
            BadInputError: `archive_damaged`.
        """
        vault = self._store.vault
        with self._store.read() as connection:
            rows = _video_rows(connection, numbers, *_SEARCHED)
        return index_of([(row.id, *read_features(vault, row)) for row in rows])

    def tracks(self, index: TrackIndex, places: Sequence[int]) -> list[tuple[Video, Track]]:
        """The tracks at some places of an index, with their videos and thumbnails.

        Raises:
            BadInputError: `archive_damaged`.
        """
        vault = self._store.vault
        found: dict[int, tuple[Video, Track]] = {}
        ends = np.append(index.starts[1:], len(index.features))
        with self._store.read() as connection:
            for row in _video_rows(connection, index.videos[list(places)].tolist()):
                video = read_video(vault, row)
                here = {int(index.numbers[place]): place for place in places if index.videos[place] == row.id}
                in_video = track_rows(connection, row.id, list(here))
                if len(in_video) != len(here):
                    raise damaged(row.id)
                for track in in_video:
                    place = here[track.number]
                    features = index.features[index.starts[place] : ends[place]]
                    found[place] = video, read_track(vault, row, track, features)
        return [found[place] for place in places if place in found]


def _video_rows(connection: Connection, numbers: Sequence[int] | None = None, *more: sql.Column[Any]) -> list[Row[Any]]:
    wanted = sql.select(*_KNOWN, *more).order_by(videos.c.id)
    if numbers is not None:
        wanted = wanted.where(videos.c.id.in_(set(numbers)))
    return list(connection.execute(wanted))


def _one(connection: Connection, condition: Any) -> Row[Any] | None:
    return connection.execute(sql.select(*_KNOWN).where(condition)).one_or_none()


def _erase(connection: Connection, numbers: Sequence[int]) -> None:
    if numbers:
        connection.execute(tracks.delete().where(tracks.c.video_id.in_(numbers)))
        connection.execute(videos.delete().where(videos.c.id.in_(numbers)))
        mark_purge(connection, ARCHIVE)
