"""Thresholds for error rates, on a calibration whose similarities are known."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mien.errors import BadInputError, MissingError, UsageError
from mien.identity.operating_point import (
    CALIBRATIONS,
    Calibration,
    fmr_at,
    fpir_at,
    load_calibration,
    operating_point,
    threshold_for_fmr,
    threshold_for_fpir,
)


@pytest.fixture
def calibration() -> Calibration:
    """An embedder whose FMR falls tenfold with each 0.1 of similarity, from 0; measured on a million comparisons."""
    fmr = 10.0 ** -np.arange(0, 10.5, 0.5)
    return Calibration(
        model="made-up",
        fingerprint=bytes(16),
        comparisons=1_000_000,
        fmr=fmr,
        threshold=-0.1 * np.log10(fmr),
        low=fmr / 2,
        high=np.minimum(fmr * 2, 1),
        fnmr=0.01 / fmr**0.1,
        search_fmr=fmr,
    )


def test_threshold_follows_the_table_between_its_levels(calibration):
    for fmr in (0.3, 1e-3, 2e-5, 4.2e-8, 1e-10):
        threshold = threshold_for_fmr(calibration, fmr)
        assert threshold.value == pytest.approx(-0.1 * np.log10(fmr))
        assert threshold.interval == pytest.approx((fmr / 2, min(2 * fmr, 1)), rel=0.5 if fmr == 0.3 else 1e-6)
        assert fmr_at(calibration, threshold.value) == pytest.approx(fmr)


def test_extrapolated_below_thirty_false_matches(calibration):
    assert calibration.smallest_measurable_fmr == 3e-5
    assert not threshold_for_fmr(calibration, 3e-5).extrapolated
    assert threshold_for_fmr(calibration, 2.9e-5).extrapolated


def test_search_needs_a_stricter_threshold_the_more_are_enrolled(calibration):
    values = [threshold_for_fpir(calibration, 0.01, enrolled).value for enrolled in (0, 1, 100, 10_000)]
    assert values == sorted(values)
    assert values[0] == values[1] == pytest.approx(threshold_for_fmr(calibration, 0.01).value)
    threshold = threshold_for_fpir(calibration, 0.01, 1000)
    assert fpir_at(threshold.fmr, 1000) == pytest.approx(0.01)
    assert threshold.extrapolated
    assert fpir_at(1e-12, 1) == pytest.approx(1e-12)


def test_search_goes_by_the_rate_in_which_every_pair_of_people_weighs_the_same(calibration):
    halved = replace(calibration, search_fmr=calibration.fmr / 2)
    asked = threshold_for_fpir(halved, 0.01, 1)
    assert asked.value == pytest.approx(threshold_for_fmr(calibration, 0.02).value)
    with pytest.raises(UsageError, match="below"):
        threshold_for_fpir(halved, 1e-9, 1000)


def test_fpir_of_independent_comparisons(calibration):
    random = np.random.default_rng(0)
    enrolled, fmr = 200, 1e-3
    alarms = (random.random((5000, enrolled)) < fmr).any(1).mean()
    assert fpir_at(fmr, enrolled) == pytest.approx(alarms, abs=0.02)


@pytest.mark.parametrize("fmr", [0, 1, -1e-3, 2, float("nan"), 1e-11])
def test_rates_that_make_no_sense(calibration, fmr):
    with pytest.raises(UsageError) as caught:
        threshold_for_fmr(calibration, fmr)
    assert caught.value.code == "rate_out_of_range"


def test_counts_that_make_no_sense(calibration):
    for call in (
        lambda: threshold_for_fpir(calibration, 0.01, -1),
        lambda: operating_point(-1, 10, 1e-4, calibration=calibration),
        lambda: operating_point(1, float("nan"), 1e-4, calibration=calibration),
    ):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.code == "count_out_of_range"
    with pytest.raises(UsageError, match="prevalence 2"):
        operating_point(1, 10, 1e-4, 2, calibration=calibration)


def test_a_day_at_the_door(calibration):
    day = operating_point(1000, 10_000, 1e-5, 0.01, calibration=calibration)
    fnmr = 0.01 * 10**0.5
    assert day["fpir"] == pytest.approx(0.0099502, rel=1e-4)
    assert day["false_alarms_per_day"] == pytest.approx(9900 * 0.0099502, rel=1e-4)
    assert day["expected_true_alarms_per_day"] == pytest.approx(100 * (1 - fnmr))
    assert day["precision"] == pytest.approx(100 * (1 - fnmr) / (100 * (1 - fnmr) + 9900 * 0.0099502), rel=1e-4)
    assert day["smallest_measurable_fmr"] == 3e-5
    assert day["extrapolated"] is True


def test_a_day_without_prevalence_or_without_anybody(calibration):
    day = operating_point(1000, 10_000, 1e-4, calibration=calibration)
    assert day["false_alarms_per_day"] == pytest.approx(10_000 * day["fpir"])
    assert day["expected_true_alarms_per_day"] is None
    assert day["precision"] is None
    nobody = operating_point(0, 100, 1e-4, 0.5, calibration=calibration)
    assert nobody["fpir"] == nobody["false_alarms_per_day"] == nobody["expected_true_alarms_per_day"] == 0
    assert nobody["precision"] is None


def test_calibration_file_is_bound_to_its_embedder(tmp_path):
    file = tmp_path / "small.json"
    content = {
        "model": "small",
        "fingerprint": "ab" * 16,
        "comparisons": 5000,
        "columns": ["fmr", "threshold", "low", "high", "fnmr", "search_fmr"],
        "rows": [[1.0, -1.0, 1.0, 1.0, 0.0, 1.0], [0.1, 0.3, 0.08, 0.12, 0.02, 0.1]],
    }
    file.write_text(json.dumps(content))
    loaded = load_calibration("small", bytes.fromhex("ab" * 16), folder=tmp_path)
    assert threshold_for_fmr(loaded, 0.1).value == pytest.approx(0.3)
    with pytest.raises(BadInputError, match="mien evaluate calibration") as caught:
        load_calibration("small", bytes(16), folder=tmp_path)
    assert caught.value.code == "calibration_mismatch"
    with pytest.raises(MissingError, match="mien evaluate calibration") as missing:
        load_calibration("other", bytes(16), folder=tmp_path)
    assert missing.value.code == "calibration_missing"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"columns": ["fmr"], "rows": [[1, 2]]}', '{"columns": 1, "rows": 1}']
)
def test_damaged_calibration_is_refused(tmp_path, text):
    (tmp_path / "damaged.json").write_text(text)
    with pytest.raises(BadInputError) as caught:
        load_calibration("damaged", bytes(16), folder=tmp_path)
    assert caught.value.code == "calibration_invalid"


@pytest.mark.parametrize("file", sorted(CALIBRATIONS.glob("*.json")), ids=lambda file: file.stem)
def test_shipped_calibrations(file):
    from mien.face.embedder import fingerprint
    from mien.models.catalogue import model

    entry = model(file.stem)
    calibration = load_calibration(file.stem, fingerprint(entry, entry.alignment))
    assert calibration.comparisons > 1_000_000
    assert calibration.fmr[0] == 1
    assert calibration.threshold[0] == -1
    assert (np.diff(calibration.fmr) < 0).all()
    assert (np.diff(calibration.threshold) >= 0).all()
    assert (np.diff(calibration.fnmr) >= 0).all()
    assert (calibration.low <= calibration.fmr * 1.2).all()
    assert (calibration.high >= calibration.fmr * 0.8).all()
    assert 0.2 < threshold_for_fmr(calibration, 1e-3).value < 0.6


def test_there_is_a_calibration_for_the_default_embedder():
    from mien.models.catalogue import default

    assert (CALIBRATIONS / f"{default('face-embedding', 'standard').name}.json").is_file()
