"""The closed forms against the textbook's matrices."""

import numpy as np
import pytest

from mien.tracking import kalman


def textbook(boxes, steps):
    """Kalman filter with full matrices over one track's `xyxy` boxes `(F, 4)`; its position and covariance."""
    measured = np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])
    size = measured[0, 2:].max()
    state = np.r_[measured[0], np.zeros(4)]
    start_velocity = kalman.START_VELOCITY_NOISE * size
    covariance = np.diag(np.r_[np.full(4, (kalman.MEASUREMENT_NOISE * size) ** 2), start_velocity**2])
    seen = np.eye(4, 8)
    for box in measured[1:]:
        size = state[2:4].max()
        motion = np.eye(8) + steps * np.eye(8, k=4)
        noise = np.r_[np.full(4, kalman.POSITION_NOISE * size), kalman.VELOCITY_NOISE * size]
        state = motion @ state
        covariance = motion @ covariance @ motion.T + steps * np.diag(noise**2)
        spread = seen @ covariance @ seen.T + (kalman.MEASUREMENT_NOISE * state[2:4].max()) ** 2 * np.eye(4)
        gain = covariance @ seen.T @ np.linalg.inv(spread)
        state = state + gain @ (box - seen @ state)
        covariance = covariance - gain @ spread @ gain.T
    return state, covariance


@pytest.mark.parametrize("steps", [1, 3])
def test_as_the_textbook(steps):
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 100, (12, 5, 2)) + np.arange(12)[:, None, None] * [3, -2]
    boxes = np.concatenate([corner, corner + rng.uniform(20, 60, (12, 5, 2))], axis=2)
    state = kalman.start(boxes[0])
    for frame in boxes[1:]:
        state = kalman.predict(state, steps)
        state = kalman.correct(state, frame)
    for track in range(5):
        expected, covariance = textbook(boxes[:, track], steps)
        np.testing.assert_allclose(state[:2, track].ravel(), expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(state[kalman.POSITION_VARIANCE, track], np.diag(covariance)[:4], rtol=1e-9)
        np.testing.assert_allclose(state[kalman.COVARIANCE, track], np.diag(covariance, 4), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(state[kalman.VELOCITY_VARIANCE, track], np.diag(covariance)[4:], atol=1e-9)


def test_a_steady_walk_is_foreseen():
    state = kalman.start(np.array([[0.0, 0, 10, 20]]))
    for step in range(1, 30):
        state = kalman.predict(state, 1)
        state = kalman.correct(state, np.array([[2.0 * step, step, 2 * step + 10, step + 20]]))
    state = kalman.predict(state, 5)
    np.testing.assert_allclose(kalman.boxes_of(state), [[68, 34, 78, 54]], atol=0.5)


def test_boxes_come_back_as_they_were():
    boxes = np.array([[1.0, 2, 5, 9], [-4, 0, 4, 1]])
    np.testing.assert_allclose(kalman.boxes_of(kalman.start(boxes)), boxes)


def test_no_tracks():
    state = kalman.start(np.empty((0, 4)))
    state = kalman.predict(state, 1)
    assert kalman.correct(state, np.empty((0, 4))).shape == (5, 0, 4)
    assert kalman.boxes_of(state).shape == (0, 4)


def test_a_moved_camera_moves_places_and_turns_and_zooms_speeds():
    state = kalman.start(np.array([[100.0, 50, 120, 90]]))
    state[kalman.VELOCITY, 0, :2] = [4, 0]
    quarter = np.array([[0.0, -2, 300], [2, 0, 10]])  # turned by 90 degrees, zoomed to twice the size
    moved = kalman.move(state, quarter)
    assert moved[kalman.POSITION, 0] == pytest.approx([300 - 2 * 70, 10 + 2 * 110, 40, 80])
    assert moved[kalman.VELOCITY, 0, :2] == pytest.approx([0, 8])
    assert moved[kalman.POSITION_VARIANCE] == pytest.approx(4 * state[kalman.POSITION_VARIANCE])
    assert kalman.move(state, np.eye(2, 3)) == pytest.approx(state)
