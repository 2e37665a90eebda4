import cv2
import numpy as np
import pytest

from mien.drawing.heat_map import density, heat_map, png, trajectories
from mien.errors import UsageError

STAND = np.array([[0.0, 0.25, 0.5], [10.0, 0.25, 0.5]])
WALK = np.array([[0.0, 0.5, 0.9], [10.0, 1.0, 0.9]])


def test_density_holds_the_seconds_that_were_spent():
    cells = density([STAND, WALK], 2.0)
    assert cells.shape == (80, 160)
    assert cells.sum() == pytest.approx(20.0, rel=0.1)
    y, x = np.unravel_index(cells.argmax(), cells.shape)
    assert abs(x - 40) <= 1 >= abs(y - 40)
    assert cells[:, 100:].sum() == pytest.approx(7.5, rel=0.15)


def test_who_stands_is_brighter_than_who_walks():
    picture = heat_map([STAND, WALK], 2.0, width=400).astype(int).sum(axis=2)
    assert picture.shape == (200, 400)
    assert picture[100, 100] > picture[180, 300] > picture[20, 300]


def test_a_map_of_nobody_and_of_one_moment():
    for paths in ([], [np.empty((0, 3))], [STAND[:1]]):
        assert heat_map(paths, 1.5, width=120).shape == (80, 120, 3)
        assert trajectories(paths, 1.5, width=120).shape == (80, 120, 3)


def test_places_outside_of_the_picture_are_no_error():
    away = np.array([[0.0, -5.0, 3.0], [2.0, 0.5, 0.5], [9.0, 1e6, -1e6]])
    heat_map([away], 1.0, width=100)
    trajectories([away], 1.0, width=100)


def test_background_outlines_and_names_are_drawn():
    grey = np.full((50, 100, 3), 200, np.uint8)
    plain = trajectories([WALK], 2.0, width=400)
    assert not np.array_equal(plain, trajectories([WALK], 2.0, width=400, background=grey))
    zone, line = np.array([[0.1, 0.1], [0.3, 0.1], [0.3, 0.6]]), np.array([[0.5, 0.0], [0.5, 1.0]])
    drawn = trajectories([WALK], 2.0, width=400, outlines=[("Zoë", zone), ("door", line)])
    assert (drawn != plain).any(axis=2).sum() > 500
    # Forward is to the right of a line that is drawn from top to bottom: that is where the arrow points.
    changed = (drawn != plain).any(axis=2)[60:140]
    assert changed[:, 205:240].any()
    assert not changed[:, 140:196].any()


@pytest.mark.parametrize(("aspect", "width"), [(0, 400), (1e9, 400), (float("nan"), 400), (1.0, 10)])
def test_a_picture_that_cannot_be_is_refused(aspect, width):
    with pytest.raises(UsageError) as caught:
        heat_map([STAND], aspect, width=width)
    assert caught.value.code == "picture_shape"


def test_png_is_lossless():
    picture = heat_map([STAND], 1.0, width=100)
    assert np.array_equal(cv2.imdecode(np.frombuffer(png(picture), np.uint8), cv2.IMREAD_COLOR_RGB), picture)
