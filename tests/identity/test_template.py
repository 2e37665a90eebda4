import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import BadInputError
from mien.identity.template import decode, encode, unit
from mien.records import Template

FINGERPRINT = bytes(range(16))
VALID = encode(Template(np.array([0.6, 0.0, -0.8], np.float32), FINGERPRINT, 0.25))


def vectors(seed: int, dimension: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(dimension)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def test_the_bytes_are_those_of_the_contract():
    header = b"MIEN" + bytes([1, 0]) + struct.pack("<HHH", 3, 16384, 0) + FINGERPRINT
    assert header + struct.pack("<3f", 0.6, 0.0, -0.8) == VALID


@given(st.integers(0, 99), st.integers(1, 600), st.floats(0, 1))
def test_float32_comes_back_bit_for_bit(seed, dimension, quality):
    template = Template(vectors(seed, dimension), FINGERPRINT, quality)
    again = decode(encode(template))
    assert np.array_equal(again.vector, template.vector)
    assert again.fingerprint == FINGERPRINT
    assert again.quality == pytest.approx(quality, abs=0.5 / 65535 + 1e-12)
    assert encode(again) == encode(template)


@pytest.mark.parametrize(("element", "size", "cosine"), [("float16", 2, 1 - 1e-6), ("int8", 1, 1 - 2e-4)])
def test_smaller_elements_stay_close_and_normalized(element, size, cosine):
    template = Template(vectors(1, 256), FINGERPRINT)
    data = encode(template, element)
    assert len(data) == 28 + 256 * size
    vector = decode(data).vector
    assert vector.dtype == np.float32
    assert float(vector @ template.vector) > cosine
    assert np.linalg.norm(vector.astype(np.float64)) == pytest.approx(1, abs=1e-6)


def test_a_vector_of_another_length_is_normalized():
    assert np.allclose(decode(VALID[:28] + struct.pack("<3f", 3, 0, -4)).vector, [0.6, 0, -0.8])
    assert np.allclose(decode(encode(Template(np.array([3, -4], np.float32), FINGERPRINT))).vector, [0.6, -0.8])


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "template_truncated"),
        (VALID[:27], "template_truncated"),
        (b"MEIN" + VALID[4:], "template_magic"),
        (VALID[:4] + b"\2" + VALID[5:], "template_version"),
        (VALID[:5] + b"\3" + VALID[6:], "template_element"),
        (VALID[:6] + b"\0\0" + VALID[8:28], "template_dimension"),
        (VALID[:10] + b"\1\0" + VALID[12:], "template_reserved"),
        (VALID[:-1], "template_length"),
        (VALID + b"\0", "template_length"),
        (VALID[:28] + struct.pack("<3f", 1, float("nan"), 0), "template_not_finite"),
        (VALID[:28] + struct.pack("<3f", 1, float("inf"), 0), "template_not_finite"),
        (VALID[:28] + bytes(12), "template_zero"),
    ],
)
def test_damaged_bytes_are_refused(data, code):
    with pytest.raises(BadInputError) as caught:
        decode(data)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (Template(np.empty(0, np.float32), FINGERPRINT), "template_dimension"),
        (Template(np.ones((2, 2), np.float32), FINGERPRINT), "template_dimension"),
        (Template(np.ones(65536, np.float32), FINGERPRINT), "template_dimension"),
        (Template(np.array([np.nan], np.float32), FINGERPRINT), "template_not_finite"),
        (Template(np.zeros(2, np.float32), FINGERPRINT), "template_zero"),
        (Template(np.ones(2, np.float32), b"short"), "template_fingerprint"),
        (Template(np.ones(2, np.float32), FINGERPRINT, 1.5), "template_quality"),
        (Template(np.ones(2, np.float32), FINGERPRINT, float("nan")), "template_quality"),
    ],
)
def test_what_cannot_be_written_is_refused(template, code):
    with pytest.raises(BadInputError) as caught:
        encode(template)
    assert caught.value.code == code


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: b"MIEN\1" + tail))
def test_any_bytes_give_a_template_or_a_clear_error(data):
    check_decode(data)


@given(st.integers(0, len(VALID) - 1), st.binary(min_size=1, max_size=4))
def test_a_template_with_some_bytes_changed_gives_a_template_or_a_clear_error(place, patch):
    check_decode((VALID[:place] + patch + VALID[place + len(patch) :])[: len(VALID)])


def check_decode(data: bytes) -> None:
    try:
        template = decode(data)
    except BadInputError:
        return
    assert np.linalg.norm(template.vector.astype(np.float64)) == pytest.approx(1, abs=1e-6)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=40))
def test_unit_settles_at_once(elements):
    vector = np.array(elements, np.float32)
    if vector.any():
        once = unit(vector)
        assert np.array_equal(unit(once), once)
