"""What is kept of a track: its times and its best shots, spread over time."""

from __future__ import annotations

import numpy as np
import pytest

from mien.cameras.passages import SHOTS, Passages, shot_worth
from mien.records import Frame, Person


def test_a_whole_free_person_is_worth_more():
    boxes = np.array([[10, 10, 50, 110], [300, 10, 340, 110], [310, 20, 350, 120], [-30, 150, 10, 250]], np.float32)
    worth = shot_worth(boxes, (300, 400, 3))
    assert worth[0] == pytest.approx(np.sqrt(4000))
    assert worth[0] > 2 * worth[1]  # half hidden
    assert worth[0] > 2 * worth[3]  # three quarters outside
    assert shot_worth(np.empty((0, 4), np.float32), (300, 400, 3)).shape == (0,)


def test_keeps_the_best_shots_apart_in_time():
    cropped = []

    def crop(image, person):
        cropped.append(float(person.score))
        return image[:2, :2]

    passages = Passages(crop)
    scores = np.random.default_rng(0).uniform(0.3, 1, 200)
    for number, score in enumerate(scores):
        frame = Frame(np.zeros((100, 100, 3), np.uint8), number, number / 10)
        passages.update(frame, [Person(np.array([10, 10, 40, 90], np.float32), float(score), track_id=7)])
    passage = passages.end(7)
    assert (passage.start, passage.end) == (0.0, 19.9)
    assert len(passage.shots) == SHOTS
    times = sorted(time for _, time, _ in passage.shots)
    assert min(np.diff(times)) > 0.3
    kept = [worth for worth, _, _ in passage.shots]
    assert min(kept) > np.quantile(scores, 0.9) * np.sqrt(30 * 80)
    assert len(cropped) < 60  # only what is better is cut out
    assert passages.end(7) is None
    assert passages.end(8) is None
