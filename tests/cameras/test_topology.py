"""Topology files: what is read, what is refused and with which words, and that a written one is read again."""

from __future__ import annotations

import numpy as np
import pytest

from mien.cameras.topology import Topology, load_topology, topology_text
from mien.cameras.travel import Travel, fitted
from mien.errors import BadInputError

GOOD = """
memory = 900
[[camera]]
name = "entrance"
source = "door.mp4"
clock_offset = -3.5
[[camera]]
name = "hall"
[[camera]]
name = "stairs"
[[link]]
from = "entrance"
to = "hall"
seconds = [4, 12, 60]
share = 0.7
both_ways = true
[[link]]
from = "entrance"
to = "stairs"
seconds = [-2, 1, 9.5]
"""


@pytest.fixture
def read(tmp_path):
    def call(text: str | bytes) -> Topology:
        file = tmp_path / "site.toml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_topology(file)

    return call


def test_reads_cameras_and_ways(read):
    topology = read(GOOD)
    assert topology.names == ["entrance", "hall", "stairs"]
    assert topology.memory == 900
    assert topology.cameras[0].clock_offset == -3.5
    ways = topology.ways()
    assert set(ways) == {("entrance", "hall"), ("hall", "entrance"), ("entrance", "stairs")}
    assert ways["entrance", "hall"] == (Travel(4, 12, 60), pytest.approx(0.7))
    assert ways["entrance", "stairs"] == (Travel(-2, 1, 9.5), pytest.approx(0.3))
    assert ways["hall", "entrance"][1] == 1  # the only way out of the hall


def test_a_written_topology_is_read_again(read):
    topology = read(GOOD.replace('"hall"', '"Halle \\"B\\" \\\\ ü\\n"'))
    assert read(topology_text(topology)) == topology


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["[[camera]] is missing"]),
        ("memory = [", ["is not TOML"]),
        (b"name = '\xff'", ["is not TOML"]),
        (GOOD.replace('to = "hall"', 'to = "hal"'), ["the camera 'hal'", "did you mean 'hall'?"]),
        (GOOD.replace("seconds = [4", "second = [4"), ["[[link]] number 1, second", "did you mean 'seconds'?"]),
        (GOOD.replace("memory", "memroy"), ["memroy", "did you mean 'memory'?"]),
        (GOOD.replace('name = "hall"', 'name = "hall"\nclock_ofset = 3'), ["number 2, clock_ofset", "'clock_offset'"]),
        (GOOD.replace('name = "stairs"', 'name = "hall"'), ["two cameras are called 'hall'"]),
        (GOOD.replace("[4, 12, 60]", "[12, 4, 60]"), ["'entrance' to 'hall'", "rising order"]),
        (GOOD.replace("[4, 12, 60]", "[4, 4, 4]"), ["rising order"]),
        (GOOD.replace("[4, 12, 60]", "[4, 60]"), ["[[link]] number 1, seconds"]),
        (GOOD.replace("[4, 12, 60]", "[4, nan, 60]"), ["[[link]] number 1, seconds, value 2", "nan"]),
        (GOOD.replace("[4, 12, 60]", '["4", 12, "x"]'), ["[[link]] number 1, seconds, value 3", "'x'"]),
        (GOOD.replace("share = 0.7", "share = 1.2"), ["[[link]] number 1, share = 1.2"]),
        (GOOD.replace("9.5]", "9.5]\nshare = 0.4"), ["from 'entrance' sum to 1.1"]),
        (GOOD.replace('to = "stairs"', 'to = "hall"'), ["two links lead from 'entrance' to 'hall'"]),
        (GOOD.replace("memory = 900", "memory = 0"), ["memory = 0"]),
        (GOOD.replace("memory = 900", "anywhere = [3, 2, 1]"), ["anywhere", "rising order"]),
        (GOOD.replace("memory = 900", "stray = 1"), ["stray = 1"]),
    ],
)
def test_bad_files_are_refused_by_place(read, text, words):
    with pytest.raises(BadInputError) as caught:
        read(text)
    assert caught.value.code == "topology_file_invalid"
    for word in ["site.toml", *words]:
        assert word in str(caught.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(BadInputError) as caught:
        load_topology(tmp_path / "nothing.toml")
    assert caught.value.code == "file_missing"


def test_density_goes_through_its_quantiles():
    travel = Travel(-3.0, 10.0, 70.0)
    seconds = np.arange(-400, 2000, 0.01)
    cumulated = travel.density(seconds).cumsum() * 0.01
    for quantile, at in ((0.05, -3.0), (0.5, 10.0), (0.95, 70.0), (1.0, 1999.0)):
        assert cumulated[np.searchsorted(seconds, at)] == pytest.approx(quantile, abs=2e-3)


def test_density_of_a_fixed_time_is_finite():
    assert np.isfinite(Travel(5, 5, 9).density(np.array([4.0, 5.0, 6.0]))).all()


def test_fitted_finds_the_quantiles():
    seconds = np.random.default_rng(0).exponential(10, 20_000)
    travel = fitted(seconds, np.ones(len(seconds)))
    assert (travel.shortest, travel.typical, travel.longest) == pytest.approx((0.51, 6.93, 29.96), rel=0.06)
    late = np.append(seconds, np.full(20_000, 500.0))
    assert fitted(late, np.repeat([1.0, 0.0], 20_000)).longest == pytest.approx(travel.longest, rel=0.01)
