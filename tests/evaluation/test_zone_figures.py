import json

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.motchallenge import write_results
from mien.evaluation.zones import evaluate

ZONES = """
[[line]]
name = "door"
from = [0.5, 0]
to = [0.5, 1]

[[zone]]
name = "left"
polygon = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]
"""


@pytest.fixture
def files(tmp_path):
    """`files(events)`: a walk of 41 frames from left to right, 20 of them in the zone, at 10 frames a second."""
    frames = np.arange(1, 42)
    x = 3.5 + 8.0 * frames
    boxes = np.stack([x - 10, np.full(41, 40), x + 10, np.full(41, 100)], axis=1)
    write_results(tmp_path / "gt.txt", frames, np.ones(41), boxes, np.ones(41))
    (tmp_path / "zones.toml").write_text(ZONES)

    def write(events):
        (tmp_path / "e.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
        return tmp_path / "gt.txt", tmp_path / "zones.toml", tmp_path / "e.jsonl"

    return write


def event(name, frame, **facts):
    return {"event": name, "time": frame / 10, "frame": frame, "track_id": 1, **facts}


LEFT = event("left", 41, picture=[400, 120])


def test_right_events_have_no_error(files):
    told = [event("entered", 1, zone="left"), event("exited", 25, zone="left", dwell=2.35)]
    figures = evaluate(*files([*told, event("crossed", 26, line="door", direction="forward"), LEFT]))
    assert figures["lines"]["door"]["truth"] == figures["lines"]["door"]["result"] == {"forward": 1, "backward": 0}
    zone = figures["zones"]["left"]
    assert (zone["truth"]["visits"], zone["result"]["visits"]) == (1, 1)
    assert zone["truth"]["mean_dwell"] == pytest.approx(24.0, abs=1.0)
    assert abs(zone["dwell_error"]) < 0.05


def test_a_broken_stay_and_a_missed_crossing_are_errors(files):
    told = [event(name, frame, zone="left", dwell=1.2) for frame in (1, 12) for name in ("entered", "exited")]
    figures = evaluate(*files([*told, LEFT]))
    assert figures["zones"]["left"]["result"]["visits"] == 2
    assert figures["zones"]["left"]["dwell_error"] == pytest.approx(-0.5, abs=0.03)
    assert figures["mean_dwell_error"] == pytest.approx(0.5, abs=0.03)
    assert figures["lines"]["door"]["result"] == {"forward": 0, "backward": 0}


def test_who_has_no_true_box_for_long_has_not_stayed(files, tmp_path):
    frames = np.array([*range(1, 11), *range(51, 61)])
    boxes = np.tile([40.0, 40.0, 60.0, 100.0], (20, 1))
    write_results(tmp_path / "away.txt", frames, np.ones(20), boxes, np.ones(20))
    _, zones, told = files([LEFT])
    figures = evaluate(tmp_path / "away.txt", zones, told)["zones"]["left"]["truth"]
    assert figures == {"visits": 2, "mean_dwell": pytest.approx(9.0, abs=1.0)}


def test_events_that_do_not_tell_the_pictures_are_refused(files):
    with pytest.raises(BadInputError) as caught:
        evaluate(*files([event("appeared", 3)]))
    assert caught.value.code == "events_without_pictures"
