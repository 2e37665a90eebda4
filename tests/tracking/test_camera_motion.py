import cv2
import numpy as np
import pytest

from mien.tracking.camera_motion import STILL, CameraMotion, moved_boxes
from mien.tracking.tracker import Tracker

NOBODY = np.empty((0, 4), np.float32)


def scene(height=360, width=640):
    """Soft hills with corners to follow, larger than the picture."""
    noise = np.random.default_rng(2).integers(0, 255, (height + 200, width + 200), dtype=np.uint8)
    blurred = cv2.GaussianBlur(noise, (0, 0), 4)
    return cv2.cvtColor(cv2.normalize(blurred, None, 0, 255, cv2.NORM_MINMAX), cv2.COLOR_GRAY2RGB)


def view(world, matrix, width=640, height=360):
    return cv2.warpAffine(world, matrix, (width, height), flags=cv2.INTER_LINEAR)


def at(x, y, angle=0.0, zoom=1.0):
    """The camera's view `(2, 3)` of the world when it is shifted, turned by degrees and zoomed."""
    matrix = cv2.getRotationMatrix2D((420, 280), angle, zoom)
    matrix[:, 2] -= (100 + x, 100 + y)
    return matrix


@pytest.mark.parametrize(
    "step", [(9, -5, 0, 1), (0, 0, 2, 1), (0, 0, 0, 1.03), (-14, 8, -1.5, 0.98)], ids=["shift", "turn", "zoom", "all"]
)
def test_a_camera_that_moves_is_followed_to_half_a_pixel(step):
    world, follow = scene(), CameraMotion()
    first, second = at(0, 0), at(*step)
    assert follow(view(world, first), NOBODY) is STILL
    motion = follow(view(world, second), NOBODY)
    points = np.array([[100, 60], [320, 180], [600, 300]])
    in_world = np.linalg.inv(np.vstack([first, [0, 0, 1]])) @ np.column_stack([points, np.ones(3)]).T
    assert points @ motion[:, :2].T + motion[:, 2] == pytest.approx((second @ in_world).T, abs=0.5)


def test_people_who_move_are_not_taken_for_the_camera():
    """A large crowd that moves together covers most of the picture; its boxes tell that it is one."""
    world, crowd, follow = scene(), scene()[::-1], CameraMotion()
    box = np.array([[60, 20, 560, 340]], np.float32)
    for step in range(2):
        image = view(world, at(0, 0)).copy()
        image[20:340, 60:560] = crowd[100:420, 100 + 9 * step : 600 + 9 * step]
        motion = follow(image, box)
    assert motion[:, 2] == pytest.approx([0, 0], abs=0.2)


def test_nothing_is_told_of_a_plain_wall_a_cut_or_another_size():
    follow = CameraMotion()
    wall = np.full((360, 640, 3), 90, np.uint8)
    assert follow(wall, NOBODY) is STILL
    assert follow(wall, NOBODY) is STILL
    assert follow(scene()[:360, :640], NOBODY) is STILL
    noise = np.random.default_rng(7).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    assert follow(noise, NOBODY) is STILL
    assert follow(scene()[:300, :500], NOBODY) is STILL


def test_people_are_followed_in_a_shaken_clip_where_the_camera_is_followed():
    """Three who stand close to each other, filmed from the hand: the picture jumps by up to a body's width."""
    world, generator = scene(), np.random.default_rng(4)
    people = np.array([[300, 200, 320, 260], [324, 202, 344, 262], [348, 204, 368, 264]], np.float64)
    shift, tracks = np.zeros(2), {True: [], False: []}
    followed = {kind: Tracker(frame_rate=25, enlarge=0) for kind in tracks}
    camera, last = CameraMotion(), np.zeros((0, 4), np.float32)
    for _ in range(40):
        shift = np.clip(shift + generator.uniform(-26, 26, 2), -80, 80)
        image = view(world, at(*shift))
        motion = camera(image, last)
        last = (people - [100, 100, 100, 100] - [*shift, *shift]).astype(np.float32)
        for kind, tracker in followed.items():
            update = tracker.update(last, np.full(3, 0.9, np.float32), motion=motion if kind else None)
            tracks[kind].append(update.track_ids.tolist())
    assert tracks[True] == [[1, 2, 3]] * 40
    assert tracks[False] != tracks[True]


def test_boxes_move_and_grow_with_the_picture():
    boxes = np.array([[10.0, 20, 30, 60]])
    assert moved_boxes(boxes, np.array([[2.0, 0, 0], [0, 3, 0]])).tolist() == [[20, 60, 60, 180]]
