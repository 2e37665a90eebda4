import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.geometry import box_area, iou_matrix, polygon_depth, similarity_transform, square_box, suppress

numbers = st.floats(-1e3, 1e3)
points = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=8).map(np.array)


def test_area_of_a_box_that_is_turned_inside_out_is_0():
    assert box_area(np.array([[0, 0, 2, 3], [2, 0, 0, 3], [1, 1, 1, 5]])).tolist() == [6, 0, 0]


def test_iou_of_all_pairs():
    first = np.array([[0.0, 0, 2, 2], [10, 10, 12, 12]])
    second = np.array([[0.0, 0, 2, 2], [1, 0, 3, 2], [5, 5, 5, 5]])
    assert iou_matrix(first, second) == pytest.approx(np.array([[1, 1 / 3, 0], [0, 0, 0]]))
    assert iou_matrix(first, np.empty((0, 4))).shape == (2, 0)
    assert iou_matrix(second[2:], second[2:]).tolist() == [[0.0]]


def test_suppress_keeps_the_best_of_each_heap_best_first():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 1, 10, 11]], np.float32)
    assert suppress(boxes, np.array([0.5, 0.9, 0.7, 0.8]), 0.5).tolist() == [1, 2]
    assert suppress(boxes, np.array([0.5, 0.9, 0.7, 0.8]), 0.9).tolist() == [1, 3, 2, 0]
    assert suppress(np.empty((0, 4)), np.empty(0), 0.5).tolist() == []


def test_suppress_keeps_the_first_of_equal_scores():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32)
    assert suppress(boxes, np.array([0.5, 0.5]), 0.5).tolist() == [0]


def test_square_box_has_the_centre_and_the_longer_side():
    square = square_box(np.array([10, 20, 30, 60], np.float32), 1.5)
    assert square.tolist() == [-10, 10, 50, 70]
    assert square.dtype == np.float32


@given(points, st.floats(-np.pi, np.pi), st.floats(0.1, 10), numbers, numbers)
def test_similarity_finds_rotation_scale_and_shift(source, angle, scale, x, y):
    if np.ptp(source, axis=0).max() < 1:
        return
    linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = source @ linear.T + [x, y]
    matrix = similarity_transform(source, target)
    assert matrix.shape == (2, 3)
    assert source @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(target, abs=0.05)


def test_similarity_never_mirrors():
    source = np.array([[0, 0], [1, 0], [0, 1.0]])
    matrix = similarity_transform(source, source[:, ::-1])
    assert np.linalg.det(matrix[:, :2]) >= 0


def test_similarity_of_one_point_is_refused():
    with pytest.raises(ValueError, match="all 3 source points coincide"):
        similarity_transform(np.ones((3, 2)), np.eye(3)[:, :2])


@pytest.mark.parametrize("turned", [1, -1])
def test_depth_in_a_polygon_is_as_opencv_measures_it(turned):
    star = np.array([[0, 0], [100, 20], [200, 0], [160, 90], [190, 200], [90, 130], [0, 180]], np.float32)[::turned]
    places = np.random.default_rng(0).uniform(-50, 250, (500, 2)).astype(np.float32)
    expected = [cv2.pointPolygonTest(star, place.tolist(), True) for place in places]
    assert polygon_depth(places, star) == pytest.approx(np.array(expected), abs=1e-3)
    assert polygon_depth(np.empty((0, 2)), star).shape == (0,)
    assert polygon_depth(star, star) == pytest.approx(np.zeros(7), abs=1e-6)
