import numpy as np
from pets_boxes import zones
from test_counting import walk

from mien.scene.zones.behaviour import Behaviour
from mien.scene.zones.trajectories import simplify


def path_of(track, **size):
    behaviour = Behaviour(zones())
    for time, box in zip(track.times, track.boxes, strict=True):
        behaviour.update(np.array([7]), box[None].astype(np.float32), time=time, width=400, height=200)
    path = behaviour.path(7)
    behaviour.end([7])
    return np.array(path)


def test_a_straight_walk_is_two_points():
    path = path_of(walk([(100, 100), (300, 100)]))
    assert path.tolist() == [[0.0, 0.25, 0.5], [2.0, 0.75, 0.5]]


def test_a_stop_on_the_way_is_kept():
    path = path_of(walk([(100, 100), (200, 100), (200, 100), (200, 100), (300, 100)]))
    assert np.abs(np.interp([0.5, 1.5, 2.5, 3.5], path[:, 0], path[:, 1]) - [0.375, 0.5, 0.5, 0.625]).max() < 0.01
    assert len(path) <= 6


def test_a_simplified_way_tells_where_it_was_at_every_moment():
    random = np.random.default_rng(0)
    times = np.arange(500) / 5
    points = np.column_stack([times, random.normal(0, 0.01, (500, 2)).cumsum(axis=0)])
    kept = simplify(points, 0.03)
    back = np.column_stack([np.interp(times, times[kept], points[kept, axis]) for axis in (1, 2)])
    assert np.linalg.norm(back - points[:, 1:], axis=1).max() <= 0.03 + 1e-9
    assert 2 < len(kept) < 200
    assert kept.tolist() == sorted(set(kept.tolist()))


def test_a_very_long_way_stays_small():
    random = np.random.default_rng(0)
    turns = [tuple(point) for point in random.uniform([20, 70], [380, 190], (300, 2))]
    path = path_of(walk(turns, rate=5, speed=50))
    assert 50 < len(path) <= 256
    assert path[0, 0] == 0.0
    assert (np.diff(path[:, 0]) > 0).all()


def test_a_single_sight_is_a_single_point():
    assert len(path_of(walk([(100, 100)]))) == 1
    assert simplify(np.zeros((1, 3)), 0.1).tolist() == [0]
