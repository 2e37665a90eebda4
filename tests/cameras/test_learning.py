"""Topologies learned from composed walks, and the densities that are made of them."""

from __future__ import annotations

import numpy as np
import pytest

from mien.cameras.evidence import TravelEvidence
from mien.cameras.learning import learned_topology, transitions
from mien.cameras.recent import Tracklet
from mien.cameras.topology import Topology
from mien.errors import BadInputError

NOTHING = np.array([1.0], np.float32)


def walks(seed: int = 0, people: int = 400) -> tuple[list[Tracklet], np.ndarray]:
    """Everybody comes in at the door; three of four go on to the hall in 8 to 12 s, the others to the stairs in 20 to
    40 s; one of ten stops on the way for minutes. Nobody goes from the hall to the stairs."""
    random = np.random.default_rng(seed)
    tracklets, who = [], []
    for person in range(people):
        time = random.uniform(0, 50_000)
        tracklets.append(Tracklet("door", time, time + 3, NOTHING))
        to_hall = random.random() < 0.75
        way = random.uniform(8, 12) if to_hall else random.uniform(20, 40)
        way = random.uniform(60, 500) if random.random() < 0.1 else way
        time += 3 + way
        tracklets.append(Tracklet("hall" if to_hall else "stairs", time, time + 5, NOTHING))
        who += [person, person]
    return tracklets, np.array(who, np.int64)


def test_finds_links_shares_and_times():
    topology = learned_topology(*walks(), memory=600)
    ways = topology.ways()
    assert set(ways) == {("door", "hall"), ("door", "stairs")}
    hall, share = ways["door", "hall"]
    assert share == pytest.approx(0.75, abs=0.06)
    assert (hall.shortest, hall.typical, hall.longest) == pytest.approx((8.2, 10, 11.8), abs=1)
    stairs, _ = ways["door", "stairs"]
    assert (stairs.shortest, stairs.typical, stairs.longest) == pytest.approx((21, 30, 39), abs=3)
    assert topology.stray == pytest.approx(0.1, abs=0.04)
    assert topology.anywhere[1] == pytest.approx(280, abs=70)
    assert topology.returning == pytest.approx(0.5, abs=0.02)


def test_without_links_all_ways_are_alike():
    topology = learned_topology(*walks(), memory=600, by_link=False)
    ways = topology.ways()
    assert len(ways) == 9
    assert len(set(ways.values())) == 1


def test_the_next_one_is_the_next_in_time():
    stays = [("b", 30, 40), ("a", 0, 10), ("c", 35, 60), ("a", 5, 9)]
    tracklets = [Tracklet(camera, start, end, NOTHING) for camera, start, end in stays]
    left, entered, seconds = transitions(tracklets, np.array([1, 1, 1, 2]))
    assert list(zip(left.tolist(), entered.tolist(), seconds.tolist(), strict=True)) == [("a", "b", 20), ("b", "c", -5)]


def test_people_who_are_seen_once_teach_nothing():
    tracklets, who = walks(people=20)
    with pytest.raises(BadInputError) as caught:
        learned_topology(tracklets, np.arange(len(who)))
    assert caught.value.code == "trajectories_too_few"


@pytest.mark.parametrize("by_link", [True, False])
def test_densities_over_all_cameras_and_times_sum_to_one(by_link):
    topology = learned_topology(*walks(), memory=600, by_link=by_link)
    evidence = TravelEvidence(topology)
    # The even part is spread over `memory` seconds; the rest is measured far beyond it.
    gaps = np.arange(-300, 6000, 0.05)
    for origin in range(3):
        total = 0.0
        for camera in range(3):
            density = np.exp(evidence(np.full(len(gaps), origin), camera, gaps))
            far = density[-1]
            total += ((density - far).sum() * 0.05) + far * topology.memory
        assert total == pytest.approx(1, abs=0.02)


def test_evidence_prefers_the_way_and_its_time():
    evidence = TravelEvidence(
        Topology.model_validate(
            {
                "camera": [{"name": "door"}, {"name": "hall"}, {"name": "stairs"}],
                "link": [{"from": "door", "to": "hall", "seconds": (5, 10, 20)}],
            }
        )
    )
    at_the_door = np.zeros(3, np.int64)
    usual, late, long_ago = evidence(at_the_door, 1, np.array([10.0, 30.0, 500.0]))
    elsewhere = evidence(at_the_door[:1], 2, np.array([10.0]))[0]
    assert usual > late > long_ago
    assert usual > elsewhere + 3
    assert np.isfinite(evidence(np.array([2]), 0, np.array([1e6]))).all()
