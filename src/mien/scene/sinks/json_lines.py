"""Where events go: a file of JSON lines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mien.media.files import unwritable


class JsonLines:
    """A file with one event a line; each is handed to the operating system as soon as it is written.

    Args:
        path: overwritten if it exists; a video's events are those of one run.

    Raises:
        UsageError: `file_unwritable`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        try:
            self._file = Path(path).open("w", encoding="utf-8", newline="\n")  # noqa: SIM115 - __exit__ closes it
        except OSError as error:
            raise unwritable(path, error) from error

    def write(self, record: dict[str, Any]) -> None:
        """Append one event.

        Raises:
            UsageError: `file_unwritable`, such as on a full disk.
        """
        try:
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise unwritable(self._path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
