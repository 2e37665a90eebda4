"""Which file a video is: told by its place, size and time of change at once, by its bytes where those are new."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from mien.errors import UsageError
from mien.media.files import check_file, is_url, unreadable


@dataclass(frozen=True, slots=True)
class VideoFile:
    """A file that is there: its absolute path, size in bytes, and time of change in nanoseconds."""

    path: str
    size: int
    changed: int

    @property
    def stamp(self) -> str:
        """What stays the same as long as nobody touches the file."""
        return f"{self.path}\0{self.size}\0{self.changed}"

    def digest(self) -> str:
        """SHA-256 of the file's bytes, in hexadecimal digits; takes as long as reading it.

        Raises:
            BadInputError: `file_unreadable`.
        """
        try:
            with open(self.path, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise unreadable(self.path, error) from error


def video_file(path: str | Path) -> VideoFile:
    """The file at a path.

    Raises:
        UsageError: `archive_live`: an address; only recordings can be searched again.
        BadInputError: `file_missing`, `file_is_directory` or `file_unreadable`.
    """
    if is_url(str(path)):
        raise UsageError(
            f"{str(path).split('://')[0]}://... is an address; only files can be indexed: record the stream first",
            code="archive_live",
        )
    where, size = check_file(path)
    try:
        changed = os.stat(where).st_mtime_ns
    except OSError as error:
        raise unreadable(where, error) from error
    return VideoFile(os.path.abspath(where), size, changed)
