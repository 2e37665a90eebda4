"""The database file of a gallery or an archive: opening, transactions, and erasing without residue.

SQLite in WAL mode with `synchronous=FULL`: what a transaction acknowledged survives a killed process and a power cut.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import sqlalchemy as sql
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from mien.errors import BadInputError, MienError, UsageError
from mien.identity import schema
from mien.identity.vault import Vault, make_master_key, read_master_key, sync_folder

BUSY_SECONDS = 10.0
"""How long one process waits for another that writes, or for its readers when residue is purged."""

_log = logging.getLogger("mien.identity")


class Layout(NamedTuple):
    """What a kind of database consists of.

    Attributes:
        header: from `mien.identity.schema.header_table`; its metadata holds the other tables.
        version: of the tables; a database with a larger one is refused.
        word: what people call it.
    """

    header: sql.Table
    version: int
    word: str


GALLERY = Layout(schema.gallery, schema.VERSION, "gallery")


class Store:
    """One open database; thread-safe.

    Attributes:
        path: the database file.
        vault: its keys.
    """

    def __init__(self, path: Path, key_file: Path, layout: Layout = GALLERY) -> None:
        """Open the database at `path`, made (0600) with its master key where there is none.

        Raises:
            BadInputError: `database_directory`, `database_unreadable`, `database_read_only`, `database_foreign`,
                `database_damaged`, `database_newer`, `database_busy`, `database_full`, or a `master_key_*` of
                `mien.identity.vault`.
        """
        self.path = path
        self._layout = layout
        self._lock = Lock()
        self._purging = Lock()
        self._closed = False
        _touch(path)
        self._engine = _engine(path)
        try:
            with _explained(path), self.write() as connection:
                self.vault, pending = _admit(connection, path, key_file, layout)
            self._observer = _connect(path)
        except BaseException:
            self._engine.dispose()
            raise
        if pending:
            self._purge_left_over()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that reads one state of the database."""
        self._check_open()
        with _explained(self.path), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on disk when the block ends, and never was when it raises; one at a time."""
        self._check_open()
        with _explained(self.path), self._engine.connect() as connection:
            connection = connection.execution_options(mien_write=True)
            with connection.begin():
                yield connection

    def version(self) -> int:
        """A number that changes whenever anybody, in any process, has changed the database; microseconds to ask."""
        self._check_open()
        with self._lock, _explained(self.path):
            return int(self._observer.execute("PRAGMA data_version").fetchone()[0])

    def purge(self) -> None:
        """Leave no residue of erased rows in any file of the store.

        Deleted rows are gone from the tables, but SQLite keeps stale copies of cells in pages that were split or
        merged (`secure_delete` does not reach them) and old pages in the WAL. So the database is rebuilt from its live
        rows and the WAL copied and cut to nothing. Takes time and memory in proportion to the whole database.

        Raises:
            MienError: `erase_incomplete`: another process held on to an old state for longer than `BUSY_SECONDS`, or
                the disk is full; the next erase or opening finishes the work.
        """
        with self._purging:
            with self.read() as connection:
                row = connection.execute(sql.select(self._layout.header)).one()
            if row.purged == row.erasures:  # what another thread or process has purged in the meantime
                return
            try:
                with closing(_connect(self.path)) as driver:
                    driver.execute("VACUUM").close()
                    _cut_wal(driver, self.path)
            except sqlite3.Error as error:
                raise _incomplete(self.path, str(error)) from error
            with self.write() as connection:
                connection.execute(self._layout.header.update().values(purged=row.erasures))

    def close(self) -> None:
        """Close every connection; using the store afterwards is a UsageError `gallery_closed`."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._observer.close()
                self._engine.dispose()

    def _purge_left_over(self) -> None:
        try:
            self.purge()
        except MienError as error:
            _log.warning("%s", error)

    def _check_open(self) -> None:
        if self._closed:
            word = self._layout.word
            raise UsageError(f"the {word} {self.path} was closed: open it again", code=f"{word}_closed")


def mark_purge(connection: Connection, layout: Layout = GALLERY) -> None:
    """Note, in the transaction that erases, that a purge is due, so that a killed process's is done by the next."""
    header = layout.header
    connection.execute(header.update().values(erasures=header.c.erasures + 1))


def _touch(path: Path) -> None:
    """Make the file before SQLite does, which would let others read it; its companions take over its mode."""
    if path.is_dir():
        raise BadInputError(
            f"the database {path} is a folder; name a file in it, e.g. {path / 'gallery.db'}", code="database_directory"
        )
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        sync_folder(path.parent)
    except OSError as error:
        raise BadInputError(
            f"the database {path} cannot be opened for reading and writing: {error.strerror}",
            code="database_unreadable",
        ) from error


def _connect(path: Path) -> sqlite3.Connection:
    # isolation_level None: the driver opens no transaction of its own; `read` and `write` say what they need
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    try:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "secure_delete = ON",
            "foreign_keys = ON",
            "temp_store = MEMORY",  # VACUUM's working copy never reaches a disk
        ):
            connection.execute(f"PRAGMA {pragma}").close()
    except BaseException:
        connection.close()
        raise
    return connection


def _engine(path: Path) -> sql.Engine:
    # hide_parameters: an error's text must not show what was to be stored
    engine = sql.create_engine(
        "sqlite://", creator=lambda: _connect(path), poolclass=sql.QueuePool, hide_parameters=True
    )

    @sql.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # a writer takes its lock at once: upgrading a reader fails where another has written in between
        writes = connection.get_execution_options().get("mien_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _admit(connection: Connection, path: Path, key_file: Path, layout: Layout) -> tuple[Vault, bool]:
    """Check that database and key belong together, or make both; `(vault, whether a purge is pending)`."""
    tables = sql.inspect(connection).get_table_names()
    if not tables:
        vault = _found(connection, key_file, layout)
        return vault, False
    if layout.header.name not in tables:
        raise BadInputError(
            f"the database {path} is not a mien {layout.word}, it has other tables: name another file",
            code="database_foreign",
        )
    version = connection.execute(sql.select(layout.header.c.schema_version)).scalar_one()
    if version > layout.version:
        raise BadInputError(
            f"the database {path} has schema version {version}, made by a newer mien; this one reads up to "
            f"{layout.version}: update mien",
            code="database_newer",
        )
    row = connection.execute(sql.select(layout.header)).one()
    vault = Vault(read_master_key(key_file), row.database_id)
    if not secrets.compare_digest(vault.proof, row.proof):
        raise BadInputError(
            f"the master key {key_file} is not the one that the database {path} was made with: put the right key file "
            "back from its backup, or point MIEN_KEY_FILE at it",
            code="master_key_wrong",
        )
    return vault, row.purged != row.erasures


def _found(connection: Connection, key_file: Path, layout: Layout) -> Vault:
    """Lay out a new database; the key is on disk before the database says that it was made with it."""
    database_id = secrets.token_bytes(16)
    vault = Vault(make_master_key(key_file), database_id)
    layout.header.metadata.create_all(connection)
    connection.execute(
        layout.header.insert().values(
            schema_version=layout.version, database_id=database_id, proof=vault.proof, erasures=0, purged=0
        )
    )
    return vault


def _cut_wal(driver: sqlite3.Connection, path: Path) -> None:
    # SQLite waits for readers itself, but gives up at once where another checkpoint is running
    deadline = time.monotonic() + BUSY_SECONDS
    while driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            raise _incomplete(path, "another process is still reading an older state")
        time.sleep(0.01)


def _incomplete(path: Path, reason: str) -> MienError:
    return MienError(
        f"the rows are erased from {path}, but traces of them may remain in its files: {reason}; erase again, or open "
        "it again, when that is over",
        code="erase_incomplete",
    )


_EXPLANATIONS = {
    "SQLITE_BUSY": ("database_busy", "is being written by another process for too long: try again"),
    "SQLITE_LOCKED": ("database_busy", "is being written by another process for too long: try again"),
    "SQLITE_FULL": ("database_full", "cannot grow, the disk is full: make room; nothing was changed"),
    "SQLITE_READONLY": ("database_read_only", "cannot be written: check the rights of the file and its folder"),
    "SQLITE_CANTOPEN": ("database_unreadable", "cannot be opened: check the rights of the file and its folder"),
    "SQLITE_PERM": ("database_unreadable", "cannot be opened: check the rights of the file and its folder"),
    "SQLITE_IOERR": ("database_unreadable", "cannot be read or written, the disk reports an error"),
    "SQLITE_NOTADB": ("database_damaged", "is not a database, or was damaged: name another file or restore a backup"),
    "SQLITE_CORRUPT": ("database_damaged", "is damaged: restore it from a backup"),
}


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn SQLite's own errors about the file into ours, which say what to do."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        original: Any = error.orig if isinstance(error, DBAPIError) else error
        name = getattr(original, "sqlite_errorname", "") or ""
        for prefix, (code, text) in _EXPLANATIONS.items():
            if name.startswith(prefix):
                raise BadInputError(f"the database {path} {text}", code=code) from error
        raise
