"""A gallery of its own for every test that asks for one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mien.records import Template

FINGERPRINT = bytes(range(16))


@pytest.fixture
def person() -> Callable[[int], Template]:
    """`person(3)`: a template of dimension 32 that is always the same for the same number."""

    def make(number: int) -> Template:
        vector = np.random.default_rng(number).standard_normal(32)
        return Template((vector / np.linalg.norm(vector)).astype(np.float32), FINGERPRINT, 0.5)

    return make
