"""Verification figures against definitions worked by hand and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from mien.errors import BadInputError, UsageError
from mien.evaluation.extraction import nearest_centre, subjects_of
from mien.evaluation.pairs import read_pairs
from mien.evaluation.verification import (
    all_pairs,
    area_under_roc,
    det_curve,
    equal_error_rate,
    error_versus_reject,
    evaluate,
    fold_accuracy,
    seeded_folds,
    threshold_at_fmr,
    verification_figures,
)
from mien.media.image import write
from mien.records import Face


def scores(pairs: int = 3000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    same = np.arange(2 * pairs) < pairs
    return np.where(same, random.normal(0.6, 0.12, 2 * pairs), random.normal(0.1, 0.1, 2 * pairs)), same


def test_area_equals_the_rank_statistic_with_ties_and_failures():
    similarity, same = scores(400)
    similarity = similarity.round(1)
    similarity[[0, 1, 500]] = -np.inf
    expected = mannwhitneyu(similarity[same], similarity[~same]).statistic / (same.sum() * (~same).sum())
    assert area_under_roc(similarity, same) == pytest.approx(expected, abs=1e-12)


def test_det_points_are_rates_at_their_thresholds():
    similarity, same = scores(200)
    for fmr, fnmr, threshold in list(zip(*det_curve(similarity, same), strict=True))[::37]:
        assert fmr == pytest.approx((similarity[~same] >= threshold).mean())
        assert fnmr == pytest.approx((similarity[same] < threshold).mean())


def test_equal_error_rate_of_two_gaussians():
    random = np.random.default_rng(1)
    same = np.arange(200_000) < 100_000
    similarity = random.normal(np.where(same, 1.0, -1.0), 1.0)
    assert equal_error_rate(similarity, same) == pytest.approx(0.158655, abs=2e-3)


def test_equal_error_rate_ends():
    same = np.array([True, True, False, False])
    assert equal_error_rate(np.array([0.9, 0.8, 0.1, 0.2]), same) == 0.0
    assert equal_error_rate(np.array([0.1, 0.2, 0.9, 0.8]), same) == 1.0


def test_threshold_keeps_its_rate_and_is_the_lowest():
    similarity, same = scores()
    for fmr in (1e-1, 1e-2, 1e-3):
        threshold = threshold_at_fmr(similarity, same, fmr)
        assert (similarity[~same] >= threshold).mean() <= fmr
        assert (similarity[~same] >= np.nextafter(threshold, -1)).mean() > fmr


def test_a_rate_that_the_pairs_cannot_measure_is_none():
    similarity, same = scores(500)
    figures = verification_figures(similarity, same)
    assert figures["tar"]["1e-3"] is None
    assert figures["threshold"]["1e-3"] is None
    assert figures["tar"]["1e-2"] is not None
    assert verification_figures(*scores(1000))["tar"]["1e-3"] is not None


def test_fold_accuracy_takes_the_threshold_from_the_others():
    # Fold 1 alone would be perfect at 0.5; the other fold's threshold lies between 0.7 and 0.9.
    similarity = np.array([0.9, 0.7, 0.6, 0.4])
    same = np.array([True, False, True, False])
    assert fold_accuracy(similarity, same, np.array([0, 0, 1, 1])).tolist() == [0.5, 0.5]


def test_a_failed_mated_pair_is_an_error_and_a_failed_non_mated_one_is_right():
    same = np.arange(40) < 20
    similarity = np.where(same, 0.9, 0.1)
    similarity[0] = similarity[30] = -np.inf
    figures = verification_figures(similarity, same)
    assert figures["accuracy"] == pytest.approx(39 / 40)
    assert figures["pairs"] == 40
    assert verification_figures(np.full(40, -np.inf), same)["accuracy"] == pytest.approx(0.5)


def test_seeded_folds_are_even_in_both_kinds():
    same = np.random.default_rng(0).permutation(np.arange(1000) < 500)
    folds = seeded_folds(same)
    assert np.bincount(folds[same]).tolist() == [50] * 10
    assert np.bincount(folds[~same]).tolist() == [50] * 10
    assert (folds == seeded_folds(same)).all()


def test_one_kind_of_pairs_is_refused():
    with pytest.raises(UsageError, match="3 mated and 0 non-mated"):
        det_curve(np.ones(3), np.ones(3, bool))


def test_rejecting_by_a_telling_quality_lowers_the_misses():
    random = np.random.default_rng(2)
    quality = random.random(4000)
    same = np.arange(4000) % 2 == 0
    similarity = np.where(same, 0.2 + 0.5 * quality, 0.1) + random.normal(0, 0.1, 4000)
    telling = error_versus_reject(similarity, same, quality, fmr=0.01, rejected=[0, 0.2, 0.4])
    blind = error_versus_reject(similarity, same, random.random(4000), fmr=0.01, rejected=[0, 0.4])
    threshold = threshold_at_fmr(similarity, same, 0.01)
    assert telling[0] == pytest.approx((similarity[same] < threshold).mean())
    assert telling[0] > 1.5 * telling[1] > 1.5 * telling[2]
    assert blind[1] > 0.85 * blind[0]
    with pytest.raises(UsageError, match="2000 non-mated"):
        error_versus_reject(similarity, same, quality, fmr=1e-6, rejected=[0])


def test_all_pairs_come_once_in_any_block_size():
    vectors = np.random.default_rng(0).normal(size=(23, 4)).astype(np.float32)
    expected = vectors @ vectors.T
    for block in (1, 5, 23, 100):
        first, second, cosine = (np.concatenate(part) for part in zip(*all_pairs(vectors, block=block), strict=True))
        assert sorted(zip(first.tolist(), second.tolist(), strict=True)) == [
            (i, j) for i in range(23) for j in range(i + 1, 23)
        ]
        np.testing.assert_allclose(cosine, expected[first, second], atol=1e-6)


@pytest.fixture
def pictures(tmp_path):
    """Six pictures of two people in sub-folders, as small as pictures get."""
    folder = tmp_path / "images"
    for name in ("Ada_Lovelace", "Alan_Turing"):
        (folder / name).mkdir(parents=True)
        for number in range(1, 7):
            write(folder / name / f"{name}_{number:04d}.png", np.zeros((8, 8, 3), np.uint8))
    return folder


MATED = ["Ada_Lovelace\t1\t2", "Alan_Turing\t1\t2", "Ada_Lovelace\t3\t4", "Alan_Turing\t3\t4", "Ada_Lovelace\t5\t6"]
OTHERS = [f"Ada_Lovelace\t{number}\tAlan_Turing\t{number}" for number in range(1, 6)]


def test_list_without_folds(pictures, tmp_path):
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(["5", *MATED, *OTHERS]))
    pairs = read_pairs(file, pictures)
    assert pairs.folds is None
    assert pairs.same.tolist() == [True] * 5 + [False] * 5
    assert len(pairs.pictures) == 11
    assert pairs.pictures[pairs.first[5]].stem == "Ada_Lovelace_0001"
    assert pairs.pictures[pairs.second[5]].stem == "Alan_Turing_0001"


def test_list_with_folds(pictures, tmp_path):
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(["5 1", *(line for two in zip(MATED, OTHERS, strict=True) for line in two)]) + "\n")
    pairs = read_pairs(file, pictures)
    assert pairs.folds.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert pairs.same.tolist() == [True, False] * 5


@pytest.mark.parametrize(
    ("lines", "code", "message"),
    [
        ([], "pairs_invalid", "starts with ''"),
        (["many"], "pairs_invalid", "starts with 'many'"),
        (["0"], "pairs_invalid", "starts with '0'"),
        (["5", *MATED], "pairs_invalid", "5 pairs where its first line promises 10"),
        (["5", *OTHERS, *MATED], "pairs_invalid", "line 2"),
        (["1", MATED[0], OTHERS[0]], "pairs_invalid", "2 pairs in no folds"),
        (["5", *MATED[:4], "Ada_Lovelace one 2", *OTHERS], "pairs_invalid", "line 6: 'one'"),
        (["5", *MATED[:4], "Ada_Lovelace 1 9", *OTHERS], "picture_missing", "line 6 names picture Ada_Lovelace_0009"),
    ],
)
def test_bad_lists_say_what_is_wrong(pictures, tmp_path, lines, code, message):
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(lines))
    with pytest.raises(BadInputError, match=message) as caught:
        read_pairs(file, pictures)
    assert caught.value.code == code


def test_missing_and_binary_lists(pictures, tmp_path):
    with pytest.raises(BadInputError) as caught:
        read_pairs(tmp_path / "none.txt", pictures)
    assert caught.value.code == "pairs_missing"
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInputError) as caught:
        read_pairs(tmp_path / "binary", pictures)
    assert caught.value.code == "pairs_invalid"


def test_the_face_nearest_the_centre_is_meant():
    def face(*box: float) -> Face:
        return Face(np.array(box, np.float32), 0.9, np.zeros((5, 2), np.float32))

    image = np.zeros((100, 200, 3), np.uint8)
    large, central = face(0, 0, 90, 100), face(95, 45, 115, 65)
    assert nearest_centre([large, central], image) is central
    assert nearest_centre([], image) is None


def test_subjects_of_folders_and_of_flat_names(tmp_path):
    names = ["Ada/x/1.jpg", "Ada_Lovelace_0001.jpg", "nobody.jpg"]
    assert subjects_of([tmp_path / name for name in names], tmp_path).tolist() == ["Ada", "Ada_Lovelace", "nobody"]


def test_runner_on_real_pictures(data, models, tmp_path):
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

    lines = data("lfw_view1/pairsDevTest.txt").read_text().splitlines()
    images = tmp_path / "images"
    chosen = [*lines[1:21], *lines[501:521]]
    for line in chosen:
        words = line.split()
        for name, number in ((words[0], words[1]), (words[0] if len(words) == 3 else words[2], words[-1])):
            stem = f"{name}_{int(number):04d}"
            (images / name).mkdir(parents=True, exist_ok=True)
            target = images / name / f"{stem}.jpg"
            if not target.exists():
                target.symlink_to(data(f"lfw_view1/images/{name}/{stem}.jpg"))
    blank = images / chosen[0].split()[0] / f"{chosen[0].split()[0]}_{int(chosen[0].split()[1]):04d}.jpg"
    blank.unlink()
    write(blank, np.zeros((250, 250, 3), np.uint8))
    file = tmp_path / "pairs.txt"
    file.write_text("\n".join(["20", *chosen]))
    report = evaluate(FaceDetector(), FaceEmbedder(), images, file)
    assert set(report) == {
        "accuracy", "accuracy_std", "auc", "eer", "tar", "threshold", "pairs", "failed", "model",
        "milliseconds_per_face",
    }  # fmt: skip
    assert report["pairs"] == 40
    assert report["failed"] == 1
    assert 0.9 < report["accuracy"] < 1
    assert report["milliseconds_per_face"] > 0
