"""Calibration of appearance: the ratio that two normal samples really have, and what its file must say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mien.cameras.appearance import Appearance, fitted, load_appearance
from mien.errors import BadInputError, MissingError


def test_finds_the_ratio_of_two_normal_samples():
    random = np.random.default_rng(0)
    same, different = random.normal(0.7, 0.1, 4000), random.normal(0.3, 0.1, 40_000)
    found = fitted(same, different)
    # log N(x; .7, .1) / N(x; .3, .1) = (x - .5) * .4 / .01
    for cosine in (0.4, 0.5, 0.6):
        assert found.evidence(np.array(cosine)) == pytest.approx((cosine - 0.5) * 40, abs=0.8)
    assert found.evidence(np.array(1.0)) == found.evidence(np.array(0.95))  # beyond the data it grows no more


def test_samples_that_do_not_overlap_stay_finite():
    found = fitted(np.full(50, 0.9), np.full(50, 0.1))
    evidence = found.evidence(np.array([-1.0, 0.1, 0.9, 1.0]))
    assert np.isfinite(evidence).all()
    assert evidence[0] < -3
    assert evidence[-1] > 3


def test_needs_both_samples():
    with pytest.raises(BadInputError) as caught:
        fitted(np.array([0.5]), np.array([]))
    assert caught.value.code == "calibration_too_small"


def test_files(tmp_path):
    content = {"fingerprint": "00ff", "slope": 20, "intercept": -10, "low": 0.1, "high": 0.9}
    (tmp_path / "net.json").write_text(json.dumps(content))
    assert load_appearance("net", b"\x00\xff", folder=tmp_path) == Appearance(20, -10, 0.1, 0.9)
    with pytest.raises(BadInputError, match="00ff") as caught:
        load_appearance("net", b"\x01\xff", folder=tmp_path)
    assert caught.value.code == "calibration_mismatch"
    with pytest.raises(MissingError, match="mien evaluate cameras") as missing:
        load_appearance("other", b"", folder=tmp_path)
    assert missing.value.code == "calibration_missing"


@pytest.mark.parametrize("text", ["", "[]", '{"fingerprint": "00ff"}', '{"fingerprint": 3}', '{"slope": "x"}'])
def test_damaged_files(tmp_path, text):
    (tmp_path / "net.json").write_text(text)
    with pytest.raises(BadInputError) as caught:
        load_appearance("net", b"\x00\xff", folder=tmp_path)
    assert caught.value.code == "calibration_invalid"
