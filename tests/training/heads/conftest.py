import copy

import pytest


@pytest.fixture
def fresh_head():
    """A head as it was made: some keep running statistics."""
    return copy.deepcopy
