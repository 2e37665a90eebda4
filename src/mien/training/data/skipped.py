"""Pictures of a set that could not be decoded: listed in a file, and too many of them end the run."""

from __future__ import annotations

import logging
from pathlib import Path

from mien.errors import BadInputError
from mien.training.data.loader import Batch
from mien.training.data.pictures import Samples

_log = logging.getLogger("mien.training.data.skipped")

_MOST = 0.01
"""Share of the set that may be skipped."""


class SkippedPictures:
    """Counts and lists the samples that others stood for.

    Args:
        path: the list, one name a line; what a resumed run has listed already counts.
        data: the samples, for their names.
    """

    def __init__(self, path: Path, data: Samples) -> None:
        self._path, self._data = path, data
        self._names = set(path.read_text(encoding="utf-8").splitlines()) if path.exists() else set()

    @property
    def count(self) -> int:
        """Pictures skipped so far, each counted once."""
        return len(self._names)

    def note(self, batch: Batch) -> None:
        """Take in a batch's `skipped`: indices, -1 where the picture itself was read."""
        if "skipped" not in batch:
            return
        for index in batch["skipped"][batch["skipped"] >= 0].tolist():
            name = self._data.name(index)
            if name not in self._names:
                _log.warning("%s: cannot be decoded, skipped", name)
                self._names.add(name)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(name + "\n")

    def check(self) -> None:
        """End the run where too many are broken.

        Raises:
            BadInputError: `skipped_too_many`.
        """
        if self.count > _MOST * len(self._data):
            raise BadInputError(
                f"{self.count} of {len(self._data)} pictures cannot be decoded, more than {_MOST:.0%}; they are "
                f"listed in {self._path}: mend or remove them",
                code="skipped_too_many",
            )
