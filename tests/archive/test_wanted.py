"""Words of what somebody looks like."""

from __future__ import annotations

import numpy as np
import pytest

from mien.archive.wanted import LOOKS, Wanted, fits, wanted_of
from mien.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("blue top, backpack", [Wanted("upper", "blue"), Wanted("backpack")]),
        ("Woman in a red T-shirt and black trousers", [
            Wanted("male", None, False), Wanted("upper", "red"), Wanted("lower", "black")
        ]),
        ("no hat; without bag", [Wanted("hat", None, False), Wanted("bag", None, False)]),
        ("short sleeves, long hair", [Wanted("long_sleeves", None, False), Wanted("long_hair")]),
        ("not short hair", [Wanted("long_hair")]),
        ("gray jeans", [Wanted("lower", "grey")]),
        ("blue coat", [Wanted("upper", "blue")]),
        ("coat", [Wanted("coat")]),
        ("no blue shorts, shorts", [Wanted("lower", "blue", False), Wanted("long_trousers", None, False)]),
    ],
)  # fmt: skip
def test_words_are_understood(text, expected):
    assert wanted_of(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("bakpack", "attribute_unknown", "did you mean 'backpack'"),
        ("blue", "attribute_unknown", "'blue top'"),
        ("blue spaceship", "attribute_unknown", "'spaceship'"),
        ("top", "attribute_unknown", "what colour"),
        ("umbrella", "attribute_unknown", "long sleeves"),
        ("", "attributes_empty", "blue top"),
        (", with a", "attributes_empty", "blue top"),
    ],
)
def test_what_is_not_understood_is_an_error_that_helps(text, code, says):
    with pytest.raises(UsageError) as caught:
        wanted_of(text)
    assert caught.value.code == code
    assert says in str(caught.value)


def test_one_word_that_does_not_fit_hides_nobody():
    looks = np.zeros((2, len(LOOKS)), np.float32)
    looks[:, LOOKS.index("upper blue")] = 1, 0.25
    looks[:, LOOKS.index("hat")] = 0, 1
    first, second = fits(looks, wanted_of("blue top, hat"))
    assert 0 < first < second == pytest.approx(0.5)
    assert fits(looks, wanted_of("no hat"))[0] == 1
    assert fits(looks[:0], wanted_of("hat")).shape == (0,)
