"""Identification figures on vectors whose answer is known, and end to end on a few real people."""

from __future__ import annotations

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.identification import best_candidates, evaluate, identification_figures, split


def test_split_is_by_first_picture():
    gallery, mated, non_mated = split(np.array(["b", "a", "b", "c", "b", "d", "d"]))
    assert gallery.tolist() == [0, 5]
    assert mated.tolist() == [2, 4, 6]
    assert non_mated.tolist() == [1, 3]


def test_best_candidate_is_never_a_failed_picture():
    gallery = np.array([[1, 0], [0, 1]], np.float32)
    best, similarity = best_candidates(gallery, np.array([False, True]), np.array([[0.8, 0.6]], np.float32))
    assert best.tolist() == [1]
    assert similarity == pytest.approx([0.6])
    _, nothing = best_candidates(gallery, np.array([False, False]), gallery)
    assert (nothing == -np.inf).all()


def test_rates_by_hand():
    strangers = np.linspace(0, 0.99, 100)
    right = np.array([True, True, True, False])
    similarity = np.array([0.995, 0.985, 0.5, 0.999])
    figures = identification_figures(right, similarity, strangers)
    # One of 100 may give an alarm: the threshold is just above 0.98.
    assert figures == {"rank1": 0.75, "fnir": {"fpir=0.01": 0.5, "fpir=0.001": None}}
    assert (strangers > 0.98).sum() == 1


def test_thousand_strangers_measure_a_thousandth():
    figures = identification_figures(np.ones(2, bool), np.array([0.9985, 0.5]), np.linspace(0, 0.999, 1000))
    assert figures["fnir"]["fpir=0.001"] == 0.5


def test_a_probe_without_a_face_is_missed():
    figures = identification_figures(np.array([True]), np.array([-np.inf]), np.full(100, -np.inf))
    assert figures == {"rank1": 0.0, "fnir": {"fpir=0.01": 1.0, "fpir=0.001": None}}


def test_runner_on_real_people(data, models, tmp_path):
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

    folders = [folder for folder in sorted(data("lfw_view1/images").iterdir()) if folder.is_dir()]
    several = [folder for folder in folders if len(list(folder.iterdir())) > 1][:8]
    single = [folder for folder in folders if len(list(folder.iterdir())) == 1][:10]
    images = tmp_path / "real"
    images.mkdir()
    for folder in several + single:
        (images / folder.name).mkdir()
        for picture in folder.iterdir():
            (images / folder.name / picture.name).symlink_to(picture)
    report = evaluate(FaceDetector(), FaceEmbedder(), images)
    assert report["enrolled"] == 8
    assert report["mated"] == sum(len(list(folder.iterdir())) for folder in several) - 8
    assert report["non_mated"] == 10
    assert report["rank1"] >= 0.8
    assert report["fnir"] == {"fpir=0.01": None, "fpir=0.001": None}


def test_a_folder_without_two_pictures_of_anybody_is_refused(tmp_path):
    with pytest.raises(BadInputError) as caught:
        evaluate(None, None, tmp_path)
    assert caught.value.code == "too_few_subjects"
