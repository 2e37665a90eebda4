"""`mien watch --people --zones` as a user runs it."""

import json

import PIL.Image
import pytest

from mien.media.video import open_video
from mien.media.writer import VideoWriter
from mien.settings import settings

ZONES = """
[[line]]
name = "middle"
from = [0.5, 0.0]
to = [0.5, 1.0]

[[zone]]
name = "road"
polygon = [[0.0, 0.3], [1.0, 0.3], [1.0, 1.0], [0.0, 1.0]]
"""


@pytest.fixture(scope="module")
def short(data, tmp_path_factory):
    """The first 24 frames of the PETS clip."""
    path = tmp_path_factory.mktemp("clip") / "short.mp4"
    with (
        open_video(data("video/pets09_s2l1_480x360.mp4")) as video,
        VideoWriter(path, video.frame_rate, 480, 360) as out,
    ):
        for frame, _ in zip(video, range(24), strict=False):
            out.write(frame.image, frame.time)
    return path


def test_people_zones_video_and_events(mien, models, short, tmp_path):
    zones, events, video, sheet = (tmp_path / name for name in ("z.toml", "e.jsonl", "v.mp4", "s.png"))
    zones.write_text(ZONES)
    results = ("--events", events, "--video", video, "--sheet", sheet)
    code, out, err = mien("watch", short, "--people", "--zones", zones, "--json", *results)
    assert (code, err) == (0, "")
    *lines, last = out.splitlines(keepends=True)
    assert "".join(lines) == events.read_text("utf-8")
    records = [json.loads(line) for line in lines]
    people = [record for record in records if record["event"] == "appeared"]
    assert {record["kind"] for record in people} == {"person"}
    assert {"appeared", "entered", "exited", "left"} <= {record["event"] for record in records}
    assert {record["stream"] for record in records} == {"short.mp4"}
    summary = json.loads(last)["summary"]
    assert (summary["frames"], summary["people"]) == (24, len(people))
    assert summary["lines"].keys() == {"middle"}
    left = [record for record in records if record["event"] == "left" and "visitor" in record]
    assert summary["visits"]["visitors"] == len({record["visitor"] for record in left})
    assert summary["visits"]["unclear"] == len(people) - len(left)
    assert summary["zones"]["road"]["visits"] == sum(record["event"] == "entered" for record in records)
    with open_video(video) as written, open_video(short) as source:
        pairs = list(zip(written, source, strict=True))
    assert len(pairs) == 24
    # The zone is tinted, the line is white, and the people have boxes.
    assert pairs[20][0].image[100:, 239:242].mean() > pairs[20][1].image[100:, 239:242].mean() + 20
    assert PIL.Image.open(sheet).width >= 640


def test_people_are_told_in_words(mien, models, short, tmp_path):
    zones = tmp_path / "z.toml"
    zones.write_text(ZONES)
    code, out, err = mien("watch", short, "--zones", zones, "--moving-camera")
    assert (code, out) == (0, "")
    assert "appeared" in err
    assert "entered road" in err
    assert "line middle: " in err
    assert "zone road: " in err


def test_visitors_are_kept_only_where_a_place_is_named(mien, models, short, tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MIEN_KEY_FILE", str(tmp_path / "master.key"))
    settings.cache_clear()
    code, _, err = mien("watch", short, "--people")
    assert (code, "visitor(s)" in err) == (0, True)
    assert not (tmp_path / "data").exists()
    code, _, err = mien("watch", short, "--visitors", "shop", "--start", "2026-01-05T12:00:00", "--json")
    assert (code, err) == (0, "")
    (place,) = json.loads(mien("visitors", "list", "--json")[1])["places"]
    assert (place["name"], place["keep_days"]) == ("shop", 1)
    assert place["visitors"] >= 1
    assert json.loads(mien("visitors", "retain", "shop", "--keep-days", "7", "--json")[1]) == {"erased": 0}
    assert json.loads(mien("visitors", "forget", "shop", "--json")[1]) == {"erased": place["visitors"]}
    assert mien("visitors", "forget", "shop")[0] == 3
    code, _, err = mien("watch", short, "--with", "pose")
    assert (code, "feature_unknown" in err) == (2, True)
    settings.cache_clear()


@pytest.mark.parametrize(("content", "code"), [("[[zon]]", "zone_file_invalid"), (None, "file_missing")])
def test_a_bad_zone_file_is_told_before_anything_is_watched(mien, short, tmp_path, content, code):
    zones = tmp_path / "z.toml"
    if content is not None:
        zones.write_text(content)
    exit_code, out, err = mien("watch", short, "--zones", zones, "--events", tmp_path / "e.jsonl")
    assert (exit_code, out) == (3, "")
    assert code in err
    assert not (tmp_path / "e.jsonl").exists()


def test_tracking_is_measured_from_end_to_end(mien, data, models, short):
    truth = data("video/pets09_s2l1_480x360.gt.txt")
    code, out, err = mien("evaluate", "tracking", "--video", short, "--truth", truth, "--json")
    assert code == 0, err
    figures = json.loads(out)
    assert figures["tracks"] >= 5
    assert figures["deta"] < 0.1  # the truth goes on for 771 frames
    assert figures["fp"] < 40
    assert figures["extractions"] >= 5
    code, _, err = mien("evaluate", "tracking", "--video", short, "--truth", truth, "--result", truth)
    assert code == 2
    assert "--result" in err
