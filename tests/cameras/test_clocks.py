"""Clock offsets of people whose ways are composed, and cameras whose clocks are wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mien.cameras.appearance import Appearance
from mien.cameras.clock_check import clock_errors
from mien.cameras.clocks import clock_offsets
from mien.cameras.recent import Tracklet
from mien.cameras.topology import Topology

APPEARANCE = Appearance(20, -10, -0.2, 0.95)


def passers_by(seed: int, offsets: list[float], count: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clock, time on that clock and person of sightings: everybody goes through the cameras one way or the other."""
    random = np.random.default_rng(seed)
    rows = []
    for person in range(count):
        cameras = random.permutation(len(offsets))[: random.integers(2, len(offsets) + 1)]
        time = random.uniform(0, 20_000)
        for camera in np.sort(cameras)[:: random.choice([-1, 1])]:
            time += random.uniform(5, 40)
            rows.append((camera, time - offsets[camera], person))
    clock, times, people = np.array(rows).T
    return clock.astype(np.intp), times, people.astype(np.int64)


@pytest.mark.parametrize("seed", range(3))
def test_offsets_are_found(seed):
    offsets = [0.0, 75_000.0, -312.0, 9.0]
    clocks, times, people = passers_by(seed, offsets)
    found = clock_offsets(clocks, times, people, 4, window=120)
    assert found.offsets == pytest.approx(offsets, abs=20)
    assert (found.shared > 30).all()


def test_wrong_people_among_them_do_not_move_a_clock():
    offsets = [0.0, 500.0, -4000.0]
    clocks, times, people = passers_by(1, offsets, count=200)
    people[np.random.default_rng(0).random(len(people)) < 0.25] = 7
    found = clock_offsets(clocks, times, people, 3, window=120)
    assert found.offsets == pytest.approx(offsets, abs=20)


def test_a_clock_that_shares_nobody_is_unknown():
    clocks, times, people = passers_by(2, [0.0, 60.0])
    found = clock_offsets(np.append(clocks, 2), np.append(times, 5.0), np.append(people, 999), 3, window=120)
    assert np.isnan(found.offsets[2])
    assert found.shared[2] == 0
    assert not np.isnan(found.offsets[:2]).any()


def test_nobody_at_all():
    nothing = np.empty(0)
    found = clock_offsets(nothing.astype(np.intp), nothing, nothing.astype(np.int64), 2, window=120)
    assert np.isnan(found.offsets).all()


def site(shift: dict[str, float]) -> tuple[Topology, list[Tracklet]]:
    """People who walk a, b, c or back, 10 to 30 s from one to the next; cameras' clocks ahead by `shift`."""
    random = np.random.default_rng(3)
    topology = Topology.model_validate(
        {
            "camera": [{"name": name} for name in "abc"],
            "link": [
                {"from": "a", "to": "b", "seconds": (8, 20, 32), "both_ways": True},
                {"from": "b", "to": "c", "seconds": (8, 20, 32), "both_ways": True},
            ],
        }
    )
    tracklets = []
    for _ in range(80):
        look = random.normal(size=64)
        time = random.uniform(0, 7200)
        for name in "abc"[:: random.choice([-1, 1])]:
            vector = look + 0.5 * random.normal(size=64)
            stay = random.uniform(2, 6)
            start = time + shift.get(name, 0.0)
            tracklets.append(Tracklet(name, start, start + stay, (vector / np.linalg.norm(vector)).astype(np.float32)))
            time += stay + random.uniform(10, 30)
    return topology, tracklets


def test_right_clocks_are_not_reported():
    topology, tracklets = site({})
    assert clock_errors(tracklets, topology, APPEARANCE) == []


@pytest.mark.parametrize(("camera", "ahead"), [("c", 90.0), ("a", -3600.0), ("b", 47.0)])
def test_a_wrong_clock_is_reported_with_its_error(camera, ahead):
    topology, tracklets = site({camera: ahead})
    (error,) = clock_errors(tracklets, topology, APPEARANCE)
    assert error.camera == camera
    assert error.ahead == pytest.approx(ahead, abs=15)
    assert error.sightings > 20
    assert error.facts()["add_to_clock_offset"] == pytest.approx(-ahead, abs=15)


def test_too_few_people_say_nothing():
    topology, tracklets = site({"c": 90.0})
    assert clock_errors(tracklets[:9], topology, APPEARANCE) == []
    assert clock_errors([], topology, APPEARANCE) == []


def test_people_who_look_alike_do_not_accuse_a_clock():
    topology, tracklets = site({"c": 90.0})
    same = [replace(tracklet, vector=tracklets[0].vector) for tracklet in tracklets]
    assert all(error.sightings < 10 for error in clock_errors(same, topology, APPEARANCE))
