"""What gallery, archive and remembered visitors have in common: each has one store and closes it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from mien.identity.store import Store


class StoreOwner:
    """A context manager around a store; used after `close`, it raises a UsageError with the code `<what>_closed`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
