"""A constant-velocity Kalman filter over all tracks at once.

The four coordinates of a box (centre x, centre y, width, height) move independently of each other, so a filter is four
filters of two numbers, position and velocity, with closed forms instead of matrices. `state` is float64 `(5, T, 4)`:
the planes POSITION, VELOCITY and the variances and covariance of the two for T tracks, one column a coordinate, in
pixels and frames. Every noise is a share of the box's size, as in Wojke et al., "Simple Online and Realtime Tracking
with a Deep Association Metric", ICIP 2017, so that far and near objects are treated alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

State = NDArray[np.float64]
POSITION, VELOCITY, POSITION_VARIANCE, COVARIANCE, VELOCITY_VARIANCE = range(5)

MEASUREMENT_NOISE = 1 / 20
POSITION_NOISE = 1 / 20
VELOCITY_NOISE = np.array([1 / 40, 1 / 40, 0, 0])
START_VELOCITY_NOISE = np.array([1 / 8, 1 / 8, 0, 0])
"""The size has no velocity: measured on PETS at every fifth frame, tracks break less without one."""

_STEP_NOISE = np.zeros((5, 1, 4))
_STEP_NOISE[POSITION_VARIANCE] = POSITION_NOISE**2
_STEP_NOISE[VELOCITY_VARIANCE] = VELOCITY_NOISE**2


def start(boxes: NDArray[np.float64]) -> State:
    """States `(5, N, 4)` of tracks that begin at `boxes`: `xyxy` float64 `(N, 4)`, at rest."""
    state = np.zeros((5, len(boxes), 4))
    state[POSITION] = _measured(boxes)
    area = _scale(state) ** 2
    state[POSITION_VARIANCE] = MEASUREMENT_NOISE**2 * area
    state[VELOCITY_VARIANCE] = START_VELOCITY_NOISE**2 * area
    return state


def predict(state: State, steps: int) -> State:
    """States `(5, T, 4)` that are `steps` frames later than `state`."""
    motion = np.eye(5)
    motion[POSITION, VELOCITY] = motion[COVARIANCE, VELOCITY_VARIANCE] = steps
    motion[POSITION_VARIANCE, COVARIANCE], motion[POSITION_VARIANCE, VELOCITY_VARIANCE] = 2 * steps, steps**2
    later = (motion @ state.reshape(5, -1)).reshape(state.shape)
    later += _STEP_NOISE * (steps * _scale(state) ** 2)
    return later


def correct(state: State, boxes: NDArray[np.float64]) -> State:
    """States `(5, N, 4)` after each has been seen at its box: `xyxy` float64 `(N, 4)`."""
    uncertain = state[POSITION_VARIANCE : COVARIANCE + 1]
    gain = uncertain / (uncertain[0] + MEASUREMENT_NOISE**2 * _scale(state) ** 2)
    corrected = np.empty_like(state)
    corrected[: VELOCITY + 1] = state[: VELOCITY + 1] + gain * (_measured(boxes) - state[POSITION])
    corrected[POSITION_VARIANCE : COVARIANCE + 1] = uncertain * (1 - gain[0])
    corrected[VELOCITY_VARIANCE] = state[VELOCITY_VARIANCE] - gain[1] * uncertain[1]
    return corrected


def move(state: State, motion: NDArray[np.float64]) -> State:
    """States `(5, T, 4)` as they look after the camera has moved: `motion` `(2, 3)` takes points of the scene from
    where they were to where they are. It is a shift, turn and zoom, or another size of the picture."""
    zoom = np.tile(np.hypot(motion[0, :2], motion[1, :2]), 2)
    moved = state * zoom ** np.array([1, 1, 2, 2, 2])[:, None, None]
    moved[POSITION, :, :2] = state[POSITION, :, :2] @ motion[:, :2].T + motion[:, 2]
    moved[VELOCITY, :, :2] = state[VELOCITY, :, :2] @ motion[:, :2].T
    return moved


def boxes_of(state: State) -> NDArray[np.float64]:
    """Boxes of `state` `(5, T, 4)`: `xyxy` float64 `(T, 4)`; a size below zero counts as zero."""
    centre, half = state[POSITION, :, :2], np.maximum(state[POSITION, :, 2:], 0) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _measured(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """`xyxy` `(N, 4)` as centre x, centre y, width, height `(N, 4)`."""
    corner, opposite = boxes[:, :2], boxes[:, 2:]
    return np.concatenate([(corner + opposite) / 2, opposite - corner], axis=1)


def _scale(state: State) -> NDArray[np.float64]:
    """The longer side of each box in pixels, at least 1: `(T, 1)`."""
    size = state[POSITION, :, 2:]
    return np.maximum(np.maximum(size[:, :1], size[:, 1:]), 1)
