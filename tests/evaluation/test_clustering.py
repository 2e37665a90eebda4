"""Clustering figures against their definitions, pair by pair and face by face."""

from __future__ import annotations

import numpy as np
import pytest

from mien.evaluation.clustering import clustering_figures


def by_definition(label: np.ndarray, subject: np.ndarray) -> dict[str, tuple[float, float]]:
    together, mates = label[:, None] == label, subject[:, None] == subject
    upper = np.triu(np.ones_like(mates), 1).astype(bool)
    right = (together & mates & upper).sum()
    shared = (together & mates).sum(1)
    return {
        "pairwise": (right / (together & upper).sum(), right / (mates & upper).sum()),
        "bcubed": ((shared / together.sum(1)).mean(), (shared / mates.sum(1)).mean()),
    }


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_definitions(seed):
    random = np.random.default_rng(seed)
    subject = random.integers(0, 12, 80)
    label = np.where(random.random(80) < 0.7, subject, random.integers(0, 20, 80))
    figures = clustering_figures(label, subject)
    for name, (precision, recall) in by_definition(label, subject).items():
        assert figures[name]["precision"] == pytest.approx(precision, abs=1e-6)
        assert figures[name]["recall"] == pytest.approx(recall, abs=1e-6)
        assert figures[name]["f"] == pytest.approx(2 * precision * recall / (precision + recall), abs=1e-6)
    assert figures["clusters"] == len(set(label.tolist()))
    assert figures["subjects"] == len(set(subject.tolist()))


def test_mutual_information_by_hand():
    # Two even clusters over two even people, 3 + 1 and 1 + 3.
    figures = clustering_figures(np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 0, 1, 1, 1]))
    expected = (2 * 3 / 8 * np.log(3 / 8 * 4) + 2 * 1 / 8 * np.log(1 / 8 * 4)) / np.log(2)
    assert figures["nmi"] == pytest.approx(expected, abs=1e-6)


def test_perfect_and_names_do_not_matter():
    figures = clustering_figures(np.array([5, 5, 1, 9]), np.array(["a", "a", "b", "c"]))
    assert figures["pairwise"] == figures["bcubed"] == {"precision": 1.0, "recall": 1.0, "f": 1.0}
    assert figures["nmi"] == 1.0


def test_all_alone_and_all_together():
    subject = np.array([0, 0, 1, 1])
    alone = clustering_figures(np.arange(4), subject)
    assert alone["pairwise"] == {"precision": 1.0, "recall": 0.0, "f": 0.0}
    assert alone["bcubed"] == pytest.approx({"precision": 1.0, "recall": 0.5, "f": 2 / 3}, abs=1e-6)
    together = clustering_figures(np.zeros(4, int), subject)
    assert together["pairwise"]["precision"] == pytest.approx(1 / 3, abs=1e-6)
    assert together["nmi"] == 0.0


def test_runner_on_real_people(data, models, tmp_path):
    from mien.evaluation.clustering import evaluate
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder
    from mien.media.image import write

    folders = [folder for folder in sorted(data("lfw_view1/images").iterdir()) if folder.is_dir()]
    for folder in [folder for folder in folders if len(list(folder.iterdir())) > 1][:12]:
        (tmp_path / folder.name).mkdir()
        for picture in folder.iterdir():
            (tmp_path / folder.name / picture.name).symlink_to(picture)
    (tmp_path / "Nobody").mkdir()
    write(tmp_path / "Nobody" / "Nobody_0001.png", np.zeros((250, 250, 3), np.uint8))
    report = evaluate(FaceDetector(), FaceEmbedder(), tmp_path)
    assert report["failed"] == 1
    assert report["subjects"] == 13
    assert report["pairwise"]["f"] > 0.9
    assert report["bcubed"]["f"] > 0.9
    assert set(report["others"]) == {"chinese_whispers", "dbscan"}
