"""Where tests find data sets and mirrored models; a test that needs what is not there is skipped by its name."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

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
