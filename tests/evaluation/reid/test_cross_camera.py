"""The set built from Market-1501's names: clocks, tracklets and figures on composed people and on real names."""

from __future__ import annotations

import json
from itertools import permutations

import numpy as np
import pytest

from mien.cameras.appearance import load_appearance
from mien.cameras.topology import load_topology
from mien.errors import BadInputError
from mien.evaluation.reid.cross_camera import compare, identity_figures, recording_clocks, walks_of
from mien.evaluation.reid.cross_camera_runner import evaluate
from mien.evaluation.reid.names import Sightings, sightings_of

STARTS = {(1, 1): 0.0, (1, 2): 3000.0, (2, 1): 8.0, (3, 1): -20.0, (3, 2): 2990.0}


def town(seed: int, people: int, first: int, noise: float = 0.55) -> tuple[Sightings, np.ndarray]:
    """Pictures of people who walk past three cameras, 1 to 2 to 3 or back, each a few seconds after the other.

    Some look so much alike that only time tells them apart; recordings start at STARTS and count frames from there.
    """
    random = np.random.default_rng(seed)
    rows, vectors = [], []
    looks = random.normal(size=(people // 2 + 1, 32))
    for person in range(people):
        time = random.uniform(60, 5900)
        for camera in (1, 2, 3)[:: random.choice([-1, 1])]:
            time += random.uniform(4, 12)
            recording = max((key for key in STARTS if key[0] == camera and STARTS[key] <= time), key=STARTS.__getitem__)
            own = looks[person // 2] + noise * random.normal(size=32)
            for _ in range(random.integers(1, 5)):
                rows.append((first + person, *recording, round((time - STARTS[recording]) * 25)))
                vector = own + 0.1 * random.normal(size=32)
                vectors.append(vector / np.linalg.norm(vector))
                time += 1
    order = random.permutation(len(rows))
    columns = np.array(rows, np.int64)[order].T
    return Sightings(*columns), np.array(vectors, np.float32)[order]


def test_clocks_of_recordings_are_found():
    seen, _ = town(0, 300, first=1)
    clocks = recording_clocks(seen)
    assert set(clocks) == set(STARTS)
    for recording, start in STARTS.items():
        assert clocks[recording] == pytest.approx(start, abs=6)


def test_tracklets_are_cut_where_somebody_was_away():
    seen = Sightings(
        np.array([5, 5, 5, 5, 6, 0, -1]),
        np.array([1, 1, 1, 2, 1, 1, 1]),
        np.array([1, 1, 1, 1, 1, 1, 1]),
        np.array([100, 50, 1000, 100, 75, 60, 61]),
    )
    vectors = np.eye(7, dtype=np.float32)
    walks = walks_of(seen, vectors, {(1, 1): 0.0, (2, 1): 1.5})
    found = {
        (person, tracklet.camera, tracklet.start, tracklet.end, count)
        for person, tracklet, count in zip(walks.people.tolist(), walks.tracklets, walks.pictures.tolist(), strict=True)
    }
    assert found == {(5, "c1", 2, 4, 2), (5, "c1", 40, 40, 1), (5, "c2", 5.5, 5.5, 1), (6, "c1", 3, 3, 1)}
    ends = [tracklet.end for tracklet in walks.tracklets]
    assert ends == sorted(ends)
    assert all(np.linalg.norm(tracklet.vector) == pytest.approx(1, abs=1e-6) for tracklet in walks.tracklets)


def test_unknown_recordings_are_left_out():
    seen = Sightings(*np.array([[5, 1, 1, 100], [5, 9, 1, 100]]).T)
    walks = walks_of(seen, np.eye(2, dtype=np.float32), {(1, 1): 0.0})
    assert [tracklet.camera for tracklet in walks.tracklets] == ["c1"]
    with pytest.raises(BadInputError) as caught:
        walks_of(seen, np.eye(2, dtype=np.float32), {})
    assert caught.value.code == "tracklets_too_few"


@pytest.mark.parametrize("seed", range(3))
def test_idf1_is_that_of_the_best_assignment(seed):
    random = np.random.default_rng(seed)
    truth, given = random.integers(0, 4, 30), random.integers(10, 15, 30)
    pictures = random.integers(1, 6, 30)
    names = sorted(set(given.tolist()))
    best = max(
        sum(int(pictures[(truth == person) & (given == name)].sum()) for person, name in enumerate(chosen))
        for chosen in permutations(names, 4)
    )
    figures = identity_figures(truth, given, pictures)
    assert figures["idf1"] == pytest.approx(best / pictures.sum(), abs=1e-6)
    same = [(truth[a] == truth[b], given[a] == given[b]) for a in range(30) for b in range(a)]
    both = sum(one and other for one, other in same)
    assert figures["precision"] == pytest.approx(both / sum(other for _, other in same), abs=1e-6)
    assert figures["recall"] == pytest.approx(both / sum(one for one, _ in same), abs=1e-6)


def test_time_and_place_tell_lookalikes_apart():
    train_seen, train_vectors = town(1, 300, first=1)
    test_seen, test_vectors = town(2, 120, first=1001)
    clocks = recording_clocks(train_seen)
    figures = compare(walks_of(train_seen, train_vectors, clocks), walks_of(test_seen, test_vectors, clocks))
    assert figures["time"]["idf1"] > figures["appearance"]["idf1"] + 0.05
    assert figures["topology"]["idf1"] > figures["appearance"]["idf1"] + 0.05
    assert figures["topology"]["precision"] > 0.9


class Stripes:
    """Colours of six stripes from head to foot: no network, and good enough to run through files quickly."""

    name, fingerprint = "stripes", b"\x01\x02"

    def vectors(self, images):
        codes = [(image // 64) @ np.array([16, 4, 1]) for image in images]
        histograms = [
            [np.bincount(stripe.reshape(-1), minlength=64) for stripe in np.array_split(code, 6)] for code in codes
        ]
        vectors = np.sqrt(np.array(histograms).reshape(len(images), -1))
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_runner_on_real_pictures(data, tmp_path):
    names = sorted(file.name for file in data("market_dev").glob("*.jpg"))
    people = sorted({name[:4] for name in names})
    tested = set(people[::5])
    for name in names:
        folder = tmp_path / ("test" if name[:4] in tested else "train")
        folder.mkdir(exist_ok=True)
        (folder / name).symlink_to(data("market_dev") / name)
    train, test = tmp_path / "train", tmp_path / "test"
    figures = evaluate(Stripes(), [train], [test], calibration=tmp_path / "stripes.json", topology=tmp_path / "t.toml")
    assert figures["model"] == "stripes"
    assert figures["pictures"] == sum(name[:4] in tested for name in names)
    assert 0 < figures["left_out"] < figures["pictures"]
    for way in ("appearance", "time", "topology"):
        assert 0.3 < figures[way]["idf1"] <= 1
    assert figures["topology"]["people"] <= len(tested)
    assert load_appearance("stripes", b"\x01\x02", folder=tmp_path).slope > 0
    assert set(load_topology(tmp_path / "t.toml").names) <= {f"c{number}" for number in range(1, 7)}
    assert json.loads((tmp_path / "stripes.json").read_text())["command"].startswith("mien evaluate cameras --train")
    with pytest.raises(BadInputError) as caught:
        evaluate(Stripes(), [train], [train])
    assert caught.value.code == "people_in_both"


def test_names_of_the_real_set_are_understood(data):
    seen = sightings_of(sorted(data("market_dev").glob("*.jpg")))
    assert len(set(seen.people.tolist())) == 80
    assert set(seen.cameras.tolist()) == {1, 2, 3, 4, 5, 6}
