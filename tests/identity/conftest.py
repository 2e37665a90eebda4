"""A gallery of its own for every test that asks for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from mien.records import Template
from mien.settings import settings

FINGERPRINT = bytes(range(16))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the settings' data and key files are in: `data/gallery.db` and `keys/master.key`."""
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MIEN_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def person() -> Callable[[int], Template]:
    """`person(3)`: a template of dimension 32 that is always the same for the same number."""

    def make(number: int) -> Template:
        vector = np.random.default_rng(number).standard_normal(32)
        return Template((vector / np.linalg.norm(vector)).astype(np.float32), FINGERPRINT, 0.5)

    return make
