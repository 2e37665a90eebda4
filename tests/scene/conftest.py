"""A picture to make streams of, and a collection to recognize from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mien.identity.collection import Collection
from mien.identity.gallery import Gallery
from mien.records import Image
from mien.settings import settings


@pytest.fixture(scope="session")
def portrait(models: Path) -> Image:
    """The astronaut's head and shoulders, RGB uint8 `(240, 320, 3)`."""
    pictures = pytest.importorskip("skimage.data", reason="needs scikit-image")
    return np.ascontiguousarray(pictures.astronaut()[:240, 64:384])


@pytest.fixture
def people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collection]:
    """A new collection of a gallery of its own."""
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MIEN_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    settings.cache_clear()
    with Gallery.open() as gallery:
        yield gallery["people"]
    settings.cache_clear()
