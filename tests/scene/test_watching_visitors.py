"""Visitors of a real clip: a woman and a man whose faces are seen."""

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from scene_streams import Clip

import mien
from mien.errors import BadInputError, UsageError
from mien.face.detector import FaceDetector
from mien.face.embedder import embedder_identity
from mien.identity.pictures import probe
from mien.media.video import open_video
from mien.scene.visits.visitor_store import VisitorStore
from mien.scene.watcher import Watcher


@pytest.fixture(scope="module")
def pair(data, models):
    """30 frames."""
    with open_video(data("video/head-pose-face-detection-female-and-male.gif")) as video:
        return [frame for frame, _ in zip(video, range(30), strict=False)]


@pytest.fixture
def her(pair, people):
    """The collection, with the woman on the left."""
    (face,) = [face for face in FaceDetector(long_side=640, score=0.7)(pair[0].image) if is_left(face, pair[0])]
    left, top, right, bottom = face.box.astype(int)
    portrait = pair[0].image[max(top - 30, 0) : bottom + 30, left - 30 : right + 30]
    people.enroll_templates("Greta", [probe(portrait, None).template], model=embedder_identity(None)[0])
    return people


def is_left(found, frame):
    return found.box[0] < frame.image.shape[1] / 2


def left_events(watcher, frames):
    moments = list(watcher.watch(Clip([replace(one, image=one.image.copy()) for one in frames], frame_rate=12.5)))
    told = [event.to_dict() for moment in moments for event in moment.events]
    return [event for event in told if event["event"] == "left" and event["kind"] == "person"]


def test_sex_and_age_are_read_from_faces_and_staff_is_no_visitor(pair, her):
    watcher = Watcher(staff=her, age_gender=True)
    left = sorted(left_events(watcher, pair), key=lambda event: event["rect"]["left"])
    assert [event["sex"] for event in left] == ["female", "male"]
    assert [event.get("staff") for event in left] == [True, None]
    assert [event["subject"] for event in left] == ["Greta", None]
    assert {event["visitor"] for event in left} == {1, 2}
    assert all(18 <= event["age"] <= 60 for event in left)
    visits = watcher.summary.to_dict()["visits"]
    assert (visits["visitors"], visits["visits"], visits["staff"]) == (1, 1, 1)
    assert visits["sex"] == {"male": 1, "female": 0, "unknown": 0}
    assert visits["unclear"] == 0


def test_without_being_asked_no_face_is_looked_for(pair):
    watcher = Watcher(people=True)
    assert all(event["visit"] == 1 and "sex" not in event for event in left_events(watcher, pair[:12]))
    visits = watcher.summary.to_dict()["visits"]
    assert (visits["visitors"], visits["sex"]["unknown"]) == (2, 2)


def test_visitors_are_known_again_in_the_next_run(pair, people):
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    told = []
    with VisitorStore.open() as store:
        for hour in range(2):
            clock = noon + timedelta(hours=hour)
            frames = [replace(one, utc=clock + timedelta(seconds=one.time)) for one in pair[:12]]
            left = left_events(Watcher(visitors=store.book("shop")), frames)
            told.append(sorted((event["visitor"], event["visit"]) for event in left))
        assert told == [[(1, 1), (2, 1)], [(1, 2), (2, 2)]]
        with pytest.raises(UsageError) as caught:
            list(Watcher(visitors=store.book("shop")).watch(Clip(pair[:2], frame_rate=12.5)))
    assert caught.value.code == "start_missing"


def test_a_watched_bystander_leaves_nothing_behind(pair, her, tmp_path):
    """What is known of people who are in no collection ends with the run, unless a file or a place was asked for."""

    def stored():
        with sqlite3.connect(tmp_path / "data" / "gallery.db") as database:
            return sorted(path.name for path in (tmp_path / "data").iterdir()), list(database.iterdump())

    before = stored()
    watcher = Watcher(her, people=True, age_gender=True)
    left_events(watcher, pair)
    assert watcher.summary.visits["visitors"] == 2
    assert stored() == before
    assert not watcher._following._faces.traces
    assert not watcher._people._faces_of


def test_staff_of_another_embedder_is_refused(her):
    other = type("Other", (), {"fingerprint": b"o" * 16, "model": "other", "name": "staff"})()
    with pytest.raises(BadInputError) as caught:
        Watcher(her, staff=other)
    assert caught.value.code == "template_other_model"


def test_the_one_liner_takes_the_words_of_the_command(data, models, tmp_path):
    zones = tmp_path / "zones.toml"
    zones.write_text('[[zone]]\nname = "room"\npolygon = [[0, 0], [1, 0], [1, 1], [0, 1]]\n')
    clip = data("video/head-pose-face-detection-female-and-male.gif")
    start = datetime(2026, 1, 5, 12, tzinfo=UTC)
    events = mien.watch(clip, zones=zones, age_gender=True, start=start)
    first = next(events)
    assert (first.event, first.utc) == ("appeared", start)
    told = [first, *events]
    assert any(event.event == "exited" and event.facts["zone"] == "room" for event in told)
    assert {event.facts["sex"] for event in told if event.event == "left" and "visitor" in event.facts} == {
        "male",
        "female",
    }
    zones.write_text("[[zon]]\n")
    with pytest.raises(BadInputError) as caught:
        next(mien.watch(clip, zones=zones))
    assert caught.value.code == "zone_file_invalid"
