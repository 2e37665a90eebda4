"""Assigns tracklets anew to the people that they may show, by a cost that fuses look and motion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mien.tracking.assignment import assign
from mien.tracking.tracklets import Float64, Known, Tracklet

SAME = 0.45
"""Cosine from which a lost person is found again. Of clear shots on the PETS clip that lie 0.5 to 6 s apart 1% of those
of different people reach it, and 88% of those of one person (network 0277; 0287 is alike)."""
_MOTION = 0.1
"""Cosine by which another person must look more alike than the one whom motion says."""
_OTHER = 0.25
"""Cosine below which a tracklet that was lost does not go on with its own person: of the same pairs 83% of those of
different people lie below it, and 1% of those of one person."""
_START, _PACE = 1.0, 1.5
"""Body heights, and body heights a second, that a lost person is expected to have gone at most; 1.4 m/s are 0.8."""
_TALLER = 2.0
"""Ratio of two boxes' heights up to which they may be of one person."""


def reassign(
    rows: Sequence[Tracklet], boxes: Float64, people: Sequence[Known], frame: int, frame_rate: float
) -> list[Known | None]:
    """The person of each tracklet: as many as possible of whom motion says, exchanged where looks say otherwise.

    Args:
        rows: R tracklets that are seen now and have a `fresh` look.
        boxes: theirs, `xyxy` `(R, 4)`.
        people: whom they may show: their own people, and those who are lost.
        frame: number of this frame.
        frame_rate: frames a second.

    Returns:
        R people; None where a tracklet shows somebody new.
    """
    if not people:
        return [None] * len(rows)
    number = {person.number: column for column, person in enumerate(people)}
    own = np.array([-1 if row.person is None else number[row.person.number] for row in rows])
    members = [set() if row.group is None else row.group.people for row in rows]
    looks = np.stack([np.zeros_like(rows[0].fresh) if person.look is None else person.look for person in people])
    cosine = np.stack([row.fresh for row in rows if row.fresh is not None]) @ looks.T
    is_known = np.array([person.look is not None for person in people])
    is_lost = np.array([person.seen < frame for person in people])
    possible = np.array([[person.number in group for person in people] for group in members])
    came_back = np.array([row.was_lost for row in rows])
    possible |= (came_back | (own < 0))[:, None] & is_lost
    possible &= is_known & near(boxes, people, frame, frame_rate) & (~is_lost | (cosine >= SAME))
    # Motion speaks for a tracklet's own person, and against somebody new unless it was lost.
    cost = np.full((len(rows), len(people) + len(rows)), np.inf)
    cost[:, : len(people)] = np.where(possible, 1 - cosine, np.inf)
    for row, column in enumerate(own.tolist()):
        if column < 0:
            cost[row, len(people) + row] = 1 - SAME
        else:
            cost[row, column] = 1 - _MOTION - (cosine[row, column] if is_known[column] else SAME)
            if came_back[row]:
                cost[row, len(people) + row] = 1 - _MOTION - _OTHER
    _, columns = assign(cost)
    return [people[column] if column < len(people) else None for column in columns.tolist()]


def near(boxes: Float64, people: Sequence[Known], frame: int, frame_rate: float) -> NDArray[np.bool_]:
    """Whether somebody can have come to each of the boxes `xyxy` `(R, 4)` since he was last seen: bool `(R, C)`."""
    last = np.array([person.box for person in people]).reshape(-1, 4)
    seconds = (frame - np.array([person.seen for person in people])) / frame_rate
    height, before = boxes[:, None, 3] - boxes[:, None, 1], (last[:, 3] - last[:, 1])[None]
    way = (boxes[:, None, :2] + boxes[:, None, 2:] - last[None, :, :2] - last[None, :, 2:]) / 2
    reach = np.maximum(height, before) * (_START + _PACE * seconds)
    ratio = height / np.maximum(before, 1e-6)
    return (np.hypot(way[..., 0], way[..., 1]) <= reach) & (ratio < _TALLER) & (ratio > 1 / _TALLER)
