import cv2
import numpy as np
import pytest

from mien.face.align import TEMPLATES, alignment, box_matrix, warp


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(("scale", "degrees"), [(0.3, 0), (1, 20), (8, -60), (3, 170)])
def test_landmarks_come_to_lie_on_the_template(template, scale, degrees):
    angle = np.radians(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = ((TEMPLATES[template] * 112) @ turn.T + [500, 400]).astype(np.float32)
    matrix = alignment(landmarks, template, 112)
    assert landmarks @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(TEMPLATES[template] * 112, abs=0.01)


def test_a_strong_reduction_neither_moves_nor_aliases():
    y, x = np.mgrid[:2000, :2000]
    dot = 255 * np.exp(-((x - 1200) ** 2 + (y - 700) ** 2) / (2 * 60**2))
    image = np.repeat(dot[..., None], 3, 2).astype(np.uint8)
    small = warp(image, box_matrix(np.array([0, 0, 2000, 2000], np.float32), 100), 100)[..., 0].astype(float)
    rows, columns = np.mgrid[:100, :100]
    assert (small * columns).sum() / small.sum() == pytest.approx(60, abs=0.3)
    assert (small * rows).sum() / small.sum() == pytest.approx(35, abs=0.3)
    stripes = np.zeros((1000, 1000, 3), np.uint8)
    stripes[:, ::2] = 255
    grey = warp(stripes, box_matrix(np.array([0, 0, 1000, 1000], np.float32), 70), 70)
    assert grey[5:-5, 5:-5].std() < 6


def test_beyond_the_picture_its_border_goes_on():
    image = np.full((40, 40, 3), 200, np.uint8)
    assert warp(image, box_matrix(np.array([-30, -30, 30, 30], np.float32), 60), 60).min() == 200
    assert warp(image, box_matrix(np.array([100, 100, 160, 160], np.float32), 20), 20).min() == 200


def test_a_warp_is_that_of_opencv_where_nothing_is_reduced():
    image = np.random.default_rng(0).integers(0, 255, (50, 60, 3), dtype=np.uint8)
    matrix = np.array([[1.2, 0.3, -5], [-0.3, 1.2, 4]], np.float32)
    expected = cv2.warpAffine(image, matrix, (64, 64), borderMode=cv2.BORDER_REPLICATE)
    assert np.array_equal(warp(image, matrix, 64), expected)
