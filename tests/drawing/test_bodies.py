from __future__ import annotations

import numpy as np
import pytest

from mien.drawing.bodies import draw_people
from mien.records import Attributes, Person

BLANK = np.full((240, 320, 3), 90, np.uint8)
BOX = np.float32([100, 60, 160, 200])


def skeleton(visibility=1.0):
    points = np.zeros((33, 4), np.float32)
    points[:, 0] = np.linspace(105, 155, 33)
    points[:, 1] = np.linspace(70, 190, 33)
    points[:, 3] = visibility
    return points


def changed(people):
    return (draw_people(BLANK, people) != BLANK).any(2)


def test_the_box_is_drawn_and_the_picture_is_not_changed():
    before = BLANK.copy()
    marks = changed([Person(BOX, 0.9)])
    np.testing.assert_array_equal(BLANK, before)
    assert marks[60, 110:150].all()
    assert marks[70:190, 160].all()
    assert not marks[100:150, 110:150].any()


def test_bones_are_drawn_where_both_ends_are_seen():
    inside = np.s_[75:190, 110:150]
    assert changed([Person(BOX, 0.9, skeleton=skeleton())])[inside].any()
    assert not changed([Person(BOX, 0.9, skeleton=skeleton(visibility=0.2))])[inside].any()


def test_what_people_wear_is_written_at_their_feet():
    looks = Attributes({"hat": 0.9, "bag": 0.2}, "blue", "black")
    plain, named = changed([Person(BOX, 0.9)]), changed([Person(BOX, 0.9, attributes=looks)])
    rows, _ = np.nonzero(plain != named)
    assert 150 < rows.min() < rows.max() <= 230
    silent = Attributes({"bag": 0.2})
    np.testing.assert_array_equal(changed([Person(BOX, 0.9, attributes=silent)]), plain)


@pytest.mark.parametrize("box", [[-500, -500, 9000, 9000], [np.nan] * 4, [300, 230, 400, 400], [1e9, 1e9, 2e9, 2e9]])
def test_boxes_and_points_anywhere_are_safe(box):
    far = skeleton() * np.float32(1e7)
    far[3] = np.nan
    drawn = draw_people(BLANK, [Person(np.float32(box), 0.5, Attributes({}, "red"), far)])
    assert drawn.shape == BLANK.shape
