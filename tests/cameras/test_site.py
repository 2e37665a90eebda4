"""Real people who walk from one half of a picture into the other, as two cameras see them; and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from mien.cameras.site import Site
from mien.cameras.topology import load_topology
from mien.errors import BadInputError, UsageError
from mien.media.video import open_video
from mien.media.writer import VideoWriter
from mien.records import Frame

TOPOLOGY = """
memory = 300
[[camera]]
name = "left"
source = "left.mp4"
[[camera]]
name = "right"
source = "right.mp4"
{offset}
[[link]]
from = "left"
to = "right"
seconds = [-1, 0.5, 4]
both_ways = true
"""


@pytest.fixture(scope="module")
def site(data, models, tmp_path_factory) -> Path:
    """A topology file beside the halves of seven seconds of a clip: one leaves on the right, another comes."""
    folder = tmp_path_factory.mktemp("site")
    with open_video(data("video/one-by-one-person-detection.mp4")) as video:
        middle = video.width // 2
        left = VideoWriter(folder / "left.mp4", video.frame_rate, middle, video.height)
        right = VideoWriter(folder / "right.mp4", video.frame_rate, video.width - middle, video.height)
        with left, right:
            for frame in video:
                if 18.5 <= frame.time < 25:
                    left.write(np.ascontiguousarray(frame.image[:, :middle]))
                    right.write(np.ascontiguousarray(frame.image[:, middle:]))
                elif frame.time >= 25:
                    break
    (folder / "site.toml").write_text(TOPOLOGY.format(offset=""))
    return folder


def test_people_are_known_again_in_the_other_camera(mien, site, tmp_path):
    events = tmp_path / "events.jsonl"
    code, out, _ = mien("cameras", "follow", site / "site.toml", "--events", events, "--json")
    assert code == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert [json.loads(line) for line in events.read_text().splitlines()] == lines[:-1]
    told = [line for line in lines if line.get("event") in ("first_seen", "seen_again")]
    assert [(line["camera"], line["person"]) for line in told] == [("right", 1), ("left", 2), ("right", 2)]
    assert told[2]["from"] == "left"
    assert abs(told[2]["seconds"]) < 2
    assert min(line["confidence"] for line in told if "merge_id" in line) > 0.8
    summary = lines[-1]["summary"]
    assert (summary["people"], summary["across_cameras"], summary["lost"]) == (2, 1, [])
    tracks = {line["track_id"] for line in lines if line.get("event") == "left"}
    assert len(tracks) == 3  # numbers are shared out over the cameras

    code, out, _ = mien("cameras", "table", events, "--json")
    assert code == 0
    assert [row["person"] for row in json.loads(out)["rows"]] == [1, 2, 2]
    code, out, _ = mien("cameras", "table", events, "--undo", told[2]["merge_id"], "--json")
    assert [row["person"] for row in json.loads(out)["rows"]] == [1, 2, 3]

    again = tmp_path / "again.jsonl"
    assert mien("cameras", "follow", site / "site.toml", "--events", again)[0] == 0
    assert again.read_bytes() == events.read_bytes()


class Empty:
    """Six frames without anybody."""

    frame_rate, live, dropped = 10.0, False, 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(6):
            yield Frame(np.zeros((120, 160, 3), np.uint8), index, index / 10)


class Broken:
    """Three empty frames, then an error."""

    frame_rate, live, dropped = 10.0, False, 0

    def __iter__(self) -> Iterator[Frame]:
        for index in range(3):
            yield Frame(np.zeros((120, 160, 3), np.uint8), index, index / 10)
        raise BadInputError("the recording is cut off", code="video_truncated")


def test_a_broken_recording_is_told_and_unknown_cameras_are_refused(site):
    follower = Site(load_topology(site / "site.toml"))
    for streams, code in (({"hall": Empty()}, "camera_unknown"), ({}, "no_cameras")):
        with pytest.raises(UsageError) as caught:
            next(follower.follow(streams))
        assert caught.value.code == code
    moments = list(follower.follow({"left": Broken(), "right": Empty()}))
    (lost,) = [event for moment in moments for event in moment.events]
    assert (lost["event"], lost["camera"], lost["code"]) == ("camera_lost", "left", "video_truncated")
    assert "cut off" in lost["reason"]
    assert sum(moment.camera == "right" and not moment.is_end for moment in moments) == 6
    assert follower.wrong_clocks() == []


def test_check_shows_the_ways(mien, site):
    code, out, _ = mien("cameras", "check", site / "site.toml", "--json")
    assert code == 0
    assert json.loads(out)["cameras"] == ["left", "right"]
    assert {(way["from"], way["to"]) for way in json.loads(out)["ways"]} == {("left", "right"), ("right", "left")}
    assert mien("cameras", "check", site / "site.toml")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--source", "lefd=x.mp4"], 2, "did you mean 'left'"),
        (["--source", "left"], 2, "CAMERA=SOURCE"),
        (["--source", "left=nothing.mp4"], 3, "nothing.mp4"),
        (["--events", "{site}/left.mp4"], 2, "written over"),
    ],
)
def test_wrong_sources(mien, site, words, code, text):
    words = [word.format(site=site) for word in words]
    answer, out, err = mien("cameras", "follow", site / "site.toml", *words)
    assert (answer, out) == (code, "")
    assert text in err


def test_a_camera_without_a_source(mien, tmp_path):
    (tmp_path / "site.toml").write_text('[[camera]]\nname = "door"\n')
    code, _, err = mien("cameras", "follow", tmp_path / "site.toml")
    assert code == 2
    assert "--source door=SOURCE" in err
