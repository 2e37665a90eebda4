import cv2
import numpy as np
import pytest

from mien.face.analyzer import FaceAnalyzer
from mien.face.quality import face_quality, quality_bound, recognition_quality
from mien.records import Face


@pytest.fixture(scope="module")
def astronaut(models):
    pictures = pytest.importorskip("skimage.data", reason="needs scikit-image")
    return np.ascontiguousarray(pictures.astronaut()[:300, 50:450])


@pytest.fixture(scope="module")
def analyzer(models):
    return FaceAnalyzer(("quality",), score=0.3)


def blurred(image, amount):
    return cv2.GaussianBlur(image, (0, 0), amount) if amount else image


def reduced(image, amount):
    small = cv2.resize(image, None, fx=1 / amount, fy=1 / amount, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small)


def darkened(image, amount):
    return (image * (1 - amount)).astype(np.uint8)


def pixel_quality(analyzer, image):
    found = analyzer(image)
    return face_quality(analyzer.embedder.crop(image, found[0]), found[0]) if found else 0.0


@pytest.mark.parametrize(
    ("worsen", "amounts"), [(blurred, (0, 3, 4.5, 6)), (reduced, (1, 3, 5, 7)), (darkened, (0, 0.9, 0.95, 0.97))]
)
def test_quality_of_the_pixels_falls_with_what_harms_recognition(analyzer, astronaut, worsen, amounts):
    qualities = [pixel_quality(analyzer, worsen(astronaut, amount)) for amount in amounts]
    assert qualities == sorted(qualities, reverse=True)
    assert 1 >= qualities[0] > 0.8
    assert qualities[-1] < 0.75 * qualities[0]
    assert min(qualities) >= 0


@pytest.mark.parametrize(("worsen", "amount"), [(blurred, 6), (reduced, 7), (darkened, 0.97)])
def test_quality_of_a_template_is_high_for_a_good_picture_and_low_for_a_damaged_one(
    analyzer, astronaut, worsen, amount
):
    (good,) = analyzer(astronaut)
    damaged = analyzer(worsen(astronaut, amount))
    assert 1 >= good.quality > 0.75
    assert all(0 <= face.quality < 0.5 * good.quality for face in damaged)


def test_a_longer_feature_is_of_better_quality_and_bad_pixels_lower_it():
    qualities = [recognition_quality(0.9, norm, (13.0, 15.0)) for norm in (2, 13, 15, 18, 40)]
    assert qualities == sorted(qualities)
    assert 0 <= qualities[0] < 0.01
    assert qualities[1:3] == pytest.approx([0.5, 0.881], abs=1e-3)
    assert qualities[-1] <= 1
    assert recognition_quality(0.25, 15, (13.0, 15.0)) == pytest.approx(qualities[2] / 2)
    assert recognition_quality(0.0, 40, (13.0, 15.0)) == 0


def test_no_face_is_better_than_its_bound(analyzer, astronaut):
    for amount in (0, 2, 4):
        image = blurred(astronaut, amount)
        (face,) = analyzer(image)
        assert pixel_quality(analyzer, image) <= quality_bound(face) <= 1


def test_a_profile_is_worse_than_a_frontal_face(analyzer, astronaut):
    (face,) = analyzer(astronaut)
    landmarks = face.landmarks.copy()
    landmarks[2, 0] = landmarks[1, 0]
    turned = Face(face.box, face.score, landmarks)
    assert quality_bound(turned) < 0.5 * quality_bound(face)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_crop_and_collapsed_landmarks_have_a_quality_too(value):
    face = Face(np.zeros(4, np.float32), 0.9, np.zeros((5, 2), np.float32))
    assert 0 <= face_quality(np.full((128, 128, 3), value, np.uint8), face) < 0.1
