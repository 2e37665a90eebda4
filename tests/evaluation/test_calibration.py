"""Calibration of made-up embedders whose true rates are known, and the file on a few real pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.calibration import COLUMNS, calibrate, evaluate
from mien.evaluation.verification import all_pairs
from mien.identity.operating_point import Calibration, load_calibration, threshold_for_fmr


def people(count: int, dimension: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors a person, people in independent directions."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, dimension))
    vectors = np.repeat(centres, 2, 0) + 0.5 * random.normal(size=(2 * count, dimension))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32), np.repeat(np.arange(count), 2)


def non_mated(vectors: np.ndarray, subjects: np.ndarray) -> np.ndarray:
    first, second, cosine = (np.concatenate(part) for part in zip(*all_pairs(vectors), strict=True))
    return cosine[subjects[first] != subjects[second]]


def as_calibration(table: np.ndarray, comparisons: int) -> Calibration:
    return Calibration("made-up", bytes(16), comparisons, *table.T)


def test_measured_thresholds_keep_their_rate_on_the_data_itself():
    vectors, subjects = people(150)
    table, comparisons = calibrate(vectors, subjects, replicates=20)
    cosine = non_mated(vectors, subjects)
    assert comparisons == len(cosine)
    for fmr, threshold, *_ in table[table[:, 0] * comparisons >= 30]:
        achieved = (cosine >= threshold).mean()
        assert 0.9 * fmr <= achieved <= fmr


def test_rates_hold_for_other_people_also_where_extrapolated():
    table, comparisons = calibrate(*people(150), replicates=20)
    calibration = as_calibration(table, comparisons)
    strangers = non_mated(*people(1000, seed=1))
    for fmr, factor in ((1e-2, 1.3), (1e-3, 1.5), (1e-4, 3.0)):
        threshold = threshold_for_fmr(calibration, fmr)
        assert threshold.extrapolated == (fmr < 30 / comparisons)
        assert fmr / factor < (strangers >= threshold.value).mean() < fmr * factor


def test_interval_holds_the_true_rate_and_is_wider_where_people_are_few():
    small, comparisons = calibrate(*people(60), replicates=200)
    large, _ = calibrate(*people(240), replicates=200)
    strangers = non_mated(*people(1000, seed=1))
    level = int(np.flatnonzero(np.isclose(small[:, 0], 1e-2))[0])
    for table in (small, large):
        _, threshold, low, high, *_ = table[level]
        assert low < (strangers >= threshold).mean() < high
    assert small[level, 3] - small[level, 2] > 1.5 * (large[level, 3] - large[level, 2])
    # Comparisons that share a person are not independent: a binomial interval would be too narrow.
    binomial = 2 * 1.96 * np.sqrt(1e-2 / comparisons)
    assert small[level, 3] - small[level, 2] > binomial


def test_table_is_monotone_and_seeded():
    vectors, subjects = people(80)
    table, _ = calibrate(vectors, subjects, replicates=20)
    again, _ = calibrate(vectors, subjects, replicates=20)
    assert (table == again).all()
    assert table[0].tolist() == [1.0, -1.0, 1.0, 1.0, 0.0, 1.0]
    assert (np.diff(table[:, 1]) >= 0).all()
    assert (np.diff(table[:, 4]) >= 0).all()
    assert np.isclose(table[-1, 0], 1e-10)


def test_misses_are_those_of_the_mated_pairs():
    vectors, subjects = people(80)
    table, _ = calibrate(vectors, subjects, replicates=2)
    mated = (vectors[::2] * vectors[1::2]).sum(1)
    assert table[30, 4] == pytest.approx((mated < table[30, 1]).mean())


def test_too_few_people_are_refused():
    with pytest.raises(BadInputError, match="a calibration needs 3000") as caught:
        calibrate(*people(10))
    assert caught.value.code == "calibration_too_small"


def test_runner_writes_what_load_reads(data, models, tmp_path):
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

    images = tmp_path / "some" / "images"
    folders = [folder for folder in sorted(data("lfw_view1/images").iterdir()) if folder.is_dir()][:65]
    for folder in folders:
        (images / folder.name).mkdir(parents=True)
        for picture in folder.iterdir():
            (images / folder.name / picture.name).symlink_to(picture)
    embedder = FaceEmbedder()
    output = tmp_path / f"{embedder.name}.json"
    head = evaluate(FaceDetector(), embedder, images, output)
    content = json.loads(output.read_text())
    assert {key: content[key] for key in head} == head
    assert head["subjects"] == 65
    assert head["data"] == "some/images"
    assert str(tmp_path) not in output.read_text()
    assert content["columns"] == list(COLUMNS)
    calibration = load_calibration(embedder.name, embedder.fingerprint, folder=tmp_path)
    assert 0 < threshold_for_fmr(calibration, 1e-2).value < 0.5
    with pytest.raises(BadInputError) as caught:
        evaluate(FaceDetector(), embedder, images, tmp_path / "none" / "file.json")
    assert caught.value.code == "output_unwritable"


def test_search_rate_does_not_grow_with_the_pictures_of_two_who_resemble_each_other():
    vectors, subjects = people(150)
    one, other = vectors[subjects == 0][0], vectors[subjects == 1][0]
    twin = one + 0.05 * other
    alike = np.concatenate([np.repeat(one[None], 30, 0), np.repeat(twin[None] / np.linalg.norm(twin), 30, 0)])
    crowd = np.concatenate([vectors, alike.astype(np.float32)])
    labels = np.concatenate([subjects, np.repeat([1000, 1001], 30)])
    table, _ = calibrate(crowd, labels, replicates=20)
    level = np.searchsorted(-table[:, 0], -1e-2)
    assert table[level, 5] < 0.5 * table[level, 0]
    assert (np.diff(table[:, 5]) <= 0).all()
