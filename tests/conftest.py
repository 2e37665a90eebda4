"""Where tests find data sets and mirrored models; a test that needs what is not there is skipped by its name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mien.settings import settings

SHARED = Path(os.environ.get("MIEN_SHARED", Path(__file__).parents[2] / "shared")).resolve()

os.environ.setdefault("MIEN_OFFLINE", "1")
if (SHARED / "models").is_dir():
    os.environ.setdefault("MIEN_MODEL_MIRROR", str(SHARED / "models"))


@pytest.fixture(scope="session")
def data() -> Callable[[str], Path]:
    """`data("video/classroom.gif")`: the path below the data folder, or skip the test with that name."""

    def find(name: str) -> Path:
        path = SHARED / "data" / name
        if not path.exists():
            pytest.skip(f"needs the data file or folder {name}")
        return path

    return find


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of mirrored models, or skip the test."""
    if not (SHARED / "models").is_dir():
        pytest.skip("needs the mirror of the published models")
    return SHARED / "models"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the settings' data and key files are in: `data/gallery.db` and `keys/master.key`."""
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MIEN_KEY_FILE", str(tmp_path / "keys" / "master.key"))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.fixture
def mien(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`mien("find", path)`: the command in this process, as (exit code, stdout, stderr)."""
    from mien.cli.main import main

    def call(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        return code, *capsys.readouterr()

    return call
