"""Which shots are kept of a track."""

from __future__ import annotations

import numpy as np

from mien.archive.shots import HEIGHT, STRETCHES, BestShots, Seen, cut, worths
from mien.records import Frame, Person

BOX = np.float32([10, 10, 30, 60])


def offer(shots, time, worth):
    wanted = shots.wants(time, worth)
    if wanted:
        shots.add(Seen(time, BOX, worth, np.zeros((4, 2, 3), np.uint8)))
    return wanted


def test_shots_are_few_good_and_spread_over_the_whole_track():
    shots = BestShots()
    chance = np.random.default_rng(0)
    worth = chance.random(3000)
    for frame, value in enumerate(worth.tolist()):
        offer(shots, 100 + frame / 10, value)
    kept = shots.best_first()
    assert 3 <= len(kept) <= STRETCHES
    assert kept[0].worth == max(worth)
    assert [one.worth for one in kept] == sorted((one.worth for one in kept), reverse=True)
    times = sorted(one.time for one in kept)
    assert times[0] < 200
    assert times[-1] > 300


def test_only_a_better_shot_of_the_same_stretch_is_wanted():
    shots = BestShots()
    assert offer(shots, 0.0, 0.5)
    assert not offer(shots, 0.2, 0.4)
    assert offer(shots, 0.3, 0.6)
    assert offer(shots, 1.2, 0.1)
    assert [one.worth for one in shots.best_first()] == [0.6, 0.1]


def test_who_is_hidden_or_cut_off_shows_less():
    frame = Frame(np.zeros((100, 200, 3), np.uint8), 0, 0.0)
    boxes = [[20, 20, 40, 70], [90, 20, 110, 70], [95, 22, 115, 72], [180, 20, 200, 70], [150, 20, 155, 32]]
    people = [Person(np.float32(box), 0.9) for box in boxes]
    free, hidden, in_front, at_border, small = worths(frame, people).tolist()
    assert hidden < in_front == free
    assert at_border < free
    assert small < free
    assert worths(frame, []).shape == (0,)


def test_a_cut_keeps_its_proportions_within_the_picture():
    image = np.random.default_rng(0).integers(0, 255, (800, 600, 3), dtype=np.uint8)
    frame = Frame(image, 0, 0.0)
    assert cut(frame, np.float32([100, 50, 140, 150])).shape == (100, 40, 3)
    assert np.array_equal(cut(frame, np.float32([100, 50, 140, 150])), image[50:150, 100:140])
    assert cut(frame, np.float32([100, 0, 340, 720])).shape == (HEIGHT, 85, 3)
    assert cut(frame, np.float32([-40, 20, 40, 120])).shape == (100, 40, 3)
