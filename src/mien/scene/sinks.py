"""Where events go: a file of JSON lines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mien.errors import UsageError


class JsonLines:
    """A file with one event a line; each is handed to the operating system as soon as it is written.

    Args:
        path: overwritten if it exists; a video's events are those of one run.

    Raises:
        UsageError: `file_unwritable`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            self._file = Path(path).open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}", code="file_unwritable") from error

    def write(self, record: dict[str, Any]) -> None:
        """Append one event."""
        self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
