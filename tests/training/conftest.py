"""What all tests of training share."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    """Tiny networks on one thread: threads that wait for each other spin, for minutes where the machine is busy."""
    torch = sys.modules.get("torch")  # the modules that need it have imported it when the first test begins
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
