"""Cameras with faces, zones and videos: a woman and a man, whom two cameras see one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mien.cameras.site import Site
from mien.cameras.topology import Topology, load_topology, topology_text
from mien.errors import UsageError
from mien.face.detector import FaceDetector
from mien.face.embedder import embedder_identity
from mien.identity.gallery import Gallery
from mien.identity.pictures import probe
from mien.media.video import open_video
from mien.media.writer import VideoWriter
from mien.records import Frame
from mien.scene.zones.zone_file import Zones

SITE = """
[[camera]]
name = "Tür/links"
source = "first.mp4"
zones = "first.toml"
[[camera]]
name = "hall"
source = "second.mp4"
clock_offset = 10
[[link]]
from = "Tür/links"
to = "hall"
seconds = [2, 8, 20]
"""
ROOM = '[[zone]]\nname = "room"\npolygon = [[0, 0], [1, 0], [1, 1], [0, 1]]\n'


@pytest.fixture(scope="module")
def pair(data, models) -> list[Frame]:
    """24 frames."""
    with open_video(data("video/head-pose-face-detection-female-and-male.gif")) as video:
        return [frame for frame, _ in zip(video, range(24), strict=False)]


@pytest.fixture
def folder(pair, home) -> Path:
    """Two recordings, the second one in other colours; and a collection with the woman, who is on the left."""
    height, width = pair[0].image.shape[:2]
    for name, channels in (("first.mp4", (0, 1, 2)), ("second.mp4", (0, 2, 1))):
        with VideoWriter(home / name, 12.5, width, height) as out:
            for frame in pair:
                image = frame.image.copy()
                below = image[height // 2 + 20 :]
                below[:] = below[..., channels]
                out.write(image)
    (home / "site.toml").write_text(SITE, "utf-8")
    (home / "first.toml").write_text(ROOM)
    face = min(FaceDetector(long_side=640, score=0.7)(pair[0].image), key=lambda face: face.box[0])
    left, top, right, bottom = face.box.astype(int)
    portrait = pair[0].image[max(top - 30, 0) : bottom + 30, left - 30 : right + 30]
    with Gallery.open() as gallery:
        gallery["staff"].enroll_templates("Greta", [probe(portrait, None).template], model=embedder_identity(None)[0])
    return home


def test_names_zones_and_videos(mien, folder):
    words = ("--collection", "staff", "--events", folder / "e.jsonl", "--video", folder / "out")
    code, out, err = mien("cameras", "follow", folder / "site.toml", *words, "--json")
    assert code == 0, err
    *records, last = [json.loads(line) for line in out.splitlines()]
    told = [one for one in records if one["event"] in ("first_seen", "seen_again")]
    hers = [one for one in told if one.get("subject") == "Greta"]
    assert [(one["camera"], one["event"]) for one in hers] == [("Tür/links", "first_seen"), ("hall", "seen_again")]
    assert len({one["person"] for one in hers}) == 1
    assert {one["event"] for one in records if one["camera"] == "hall"}.isdisjoint({"entered", "exited"})
    assert last["summary"]["cameras"].keys() == {"Tür/links"}
    assert last["summary"]["cameras"]["Tür/links"]["zones"]["room"]["visits"] >= 1
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["Tür_links.mp4", "hall.mp4"]
    with open_video(folder / "out" / "hall.mp4") as drawn, open_video(folder / "second.mp4") as plain:
        pictures = [(one.image.astype(int), other.image) for one, other in zip(drawn, plain, strict=True)]
    assert len(pictures) == 24
    assert np.abs(pictures[-1][0] - pictures[-1][1]).max() > 100  # boxes and names
    rows = json.loads(mien("cameras", "table", folder / "e.jsonl", "--json")[1])["rows"]
    assert [row["camera"] for row in rows if row["subject"] == "Greta"] == ["Tür/links", "hall"]


def test_a_live_camera_that_was_away_and_changed_its_size_goes_on(pair, models):
    halves = [cv2.resize(frame.image, (360, 270)) for frame in pair[:8]]
    later = [replace(pair[at], image=image, index=at + 8, time=60 + pair[at].time) for at, image in enumerate(halves)]

    class Camera:
        frame_rate, live, dropped = 12.5, True, 0

        def __iter__(self) -> Iterator[Frame]:
            yield from (replace(frame, image=frame.image.copy()) for frame in [*pair[:8], *later])

    site = Site(Topology.model_validate({"camera": [{"name": "hall"}]}), zones={"hall": Zones()})
    events = [event for moment in site.follow({"hall": Camera()}) for event in moment.events]
    (gap,) = [event for event in events if event["event"] == "gap"]
    assert (gap["camera"], gap["time"]) == ("hall", 60.0)
    appeared = [event["track_id"] for event in events if event["event"] == "appeared"]
    assert appeared == [1, 2, 3, 4]
    assert [event["event"] for event in events].count("left") == 4
    people = [event["person"] for event in events if event["event"] in ("first_seen", "seen_again")]
    assert sorted(people) == [1, 1, 2, 2]  # they are known again


def test_bad_zones(mien, folder):
    (folder / "first.toml").unlink()
    code, _, err = mien("cameras", "follow", folder / "site.toml", "--video", folder / "out")
    assert (code, "file_missing" in err) == (3, True)
    assert not (folder / "out").exists()
    with pytest.raises(UsageError) as caught:
        Site(load_topology(folder / "site.toml"), zones={"hal": Zones()})
    assert caught.value.code == "camera_unknown"
    assert "did you mean 'hall'" in str(caught.value)


def test_two_cameras_do_not_share_a_video(mien, folder):
    (folder / "site.toml").write_text(SITE.replace('"hall"', '"Tür:links"'), "utf-8")
    code, _, err = mien("cameras", "follow", folder / "site.toml", "--video", folder / "out")
    assert (code, "file_in_use" in err) == (2, True)
    assert 'zones = "first.toml"' in topology_text(load_topology(folder / "site.toml"))
