from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.media.video import open_video
from mien.person.detector import PersonDetector
from mien.person.pose import BONES, POINTS, PoseEstimator
from mien.records import Person


@pytest.fixture(scope="module")
def estimator(models):
    return PoseEstimator()


@pytest.fixture(scope="module")
def walker(data, models):
    """A frame with one person who stands in full, seen from behind, and the person."""
    with open_video(data("video/one-by-one-person-detection.mp4")) as video:
        frame = next(frame for frame in video if frame.index == 278)
    (person,) = PersonDetector()(frame.image)
    return frame.image, person


def test_names_and_bones():
    assert len(POINTS) == len(set(POINTS)) == 33
    assert (POINTS[0], POINTS[11], POINTS[24], POINTS[32]) == (
        "nose",
        "left_shoulder",
        "right_hip",
        "right_foot_index",
    )
    assert {end for bone in BONES for end in bone} <= set(range(33))


def test_a_standing_person_stands(estimator, walker):
    image, person = walker
    (skeleton,) = estimator(image, [person])
    assert skeleton.shape == (33, 4)
    assert skeleton.dtype == np.float32
    at = dict(zip(POINTS, skeleton, strict=True))
    heights = [at[name][1] for name in ("nose", "left_shoulder", "left_hip", "left_knee", "left_ankle")]
    assert heights == sorted(heights)
    # Seen from behind the left shoulder is on the left of the picture.
    assert at["left_shoulder"][0] < at["right_shoulder"][0]
    left, top, right, bottom = person.box
    margin = 0.1 * (bottom - top)
    inside = (skeleton[:, 0] > left - margin) & (skeleton[:, 0] < right + margin)
    inside &= (skeleton[:, 1] > top - margin) & (skeleton[:, 1] < bottom + margin)
    assert inside.all()
    assert ((skeleton[:, 3] >= 0) & (skeleton[:, 3] <= 1)).all()
    assert skeleton[11:, 3].mean() > 0.6


@pytest.mark.parametrize("angle", [-60, 45, 90, 180])
def test_the_skeleton_turns_with_the_person(estimator, walker, angle):
    """A turned picture stands in for somebody who lies: the points are where those of the upright picture went."""
    image, person = walker
    (upright,) = estimator(image, [person])
    height, width = image.shape[:2]
    centre = (person.box[:2] + person.box[2:]) / 2
    turn = cv2.getRotationMatrix2D(centre.tolist(), angle, 1.0)
    turned = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    left, top, right, bottom = person.box
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) @ turn[:, :2].T + turn[:, 2]
    box = np.concatenate([corners.min(0), corners.max(0)]).astype(np.float32)
    (skeleton,) = estimator(turned, [Person(box, 1.0)])
    expected = upright[:, :2] @ turn[:, :2].T + turn[:, 2]
    assert np.linalg.norm(skeleton[:, :2] - expected, axis=1).mean() < 0.05 * float(bottom - top)


def test_each_of_two_gets_his_own_skeleton(estimator, walker):
    image, person = walker
    left, _, right, _ = person.box.astype(int)
    step = right - left + 10
    twice = image.copy()
    twice[:, left - step : right - step] = image[:, left:right]
    beside = Person(person.box - np.float32([step, 0, step, 0]), 1.0)
    first, second = estimator(twice, [person, beside])
    shift = np.median(first[:, 0] - second[:, 0])
    assert shift == pytest.approx(step, rel=0.1)


def test_where_nobody_is_there_is_no_skeleton(estimator):
    empty = np.full((200, 300, 3), 130, np.uint8)
    boxes = [[20, 20, 80, 180], [-50, -50, -10, -10], [400, 400, 500, 600], [10, 10, 10, 10]]
    assert estimator(empty, [Person(np.float32(box), 0.9) for box in boxes]) == [None] * 4
    assert estimator(empty, []) == []
