"""People in a stream: real clips, real networks."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from scene_streams import Clip

from mien.face.detector import FaceDetector
from mien.face.embedder import embedder_identity
from mien.identity.pictures import probe
from mien.media.video import open_video
from mien.records import Frame
from mien.scene.watcher import Watcher
from mien.scene.zones.zone_file import Zones

DOOR = Zones.model_validate(
    {
        "line": [{"name": "middle", "from": (0.5, 0.0), "to": (0.5, 1.0)}],
        "zone": [{"name": "road", "polygon": [(0.0, 0.3), (1.0, 0.3), (1.0, 1.0), (0.0, 1.0)]}],
    }
)


@pytest.fixture(scope="module")
def pets(data, models):
    """The first 20 frames of the PETS clip."""
    with open_video(data("video/pets09_s2l1_480x360.mp4")) as video:
        return [frame for frame, _ in zip(video, range(20), strict=False)]


@pytest.fixture(scope="module")
def couple(data, models):
    """Two people who come closer and whose faces are seen: 35 frames."""
    with open_video(data("video/face-demographics-walking.gif")) as video:
        return list(video)


def clip(frames, **kinds):
    """A stream of copies, for pictures may be drawn into."""
    return Clip([replace_image(frame, frame.image.copy()) for frame in frames], **kinds)


def replace_image(frame, image):
    return replace(frame, image=image)


def lines(watcher, stream):
    return [json.dumps(event.to_dict()) for moment in watcher.watch(stream) for event in moment.events]


def test_people_are_followed_with_what_they_do_in_zones(pets):
    watcher = Watcher(zones=DOOR)
    moments = list(watcher.watch(clip(pets, frame_rate=10)))
    events = [event.to_dict() for moment in moments for event in moment.events]
    assert all(event["kind"] == "person" for event in events if event["event"] in ("appeared", "left"))
    told = [event["event"] for event in events]
    assert told.count("appeared") == told.count("left") == watcher.summary.people >= 4
    assert "entered" in told
    assert "exited" in told
    left = next(event for event in events if event["event"] == "left")
    assert left["picture"] == [480, 360]
    assert all(0 <= x <= 1.1 and 0 <= y <= 1.1 for _, x, y in left["path"])
    assert not any(moment.faces for moment in moments)
    assert all(len(moment.people) == len(moment.people_labels) for moment in moments)
    summary = watcher.summary.to_dict()
    assert summary["tracks"] == summary["people"]
    assert summary["zones"]["road"]["visits"] >= 4
    assert moments[-2].counts["zones"]["road"] == summary["zones"]["road"] | {
        name: moments[-2].counts["zones"]["road"][name] for name in ("mean_dwell",)
    }


def test_the_same_video_gives_the_same_events_byte_for_byte(pets):
    runs = [lines(Watcher(zones=DOOR), clip(pets, frame_rate=10)) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(runs[0]) > 10


def test_a_body_knows_its_face_and_keeps_the_name_when_the_face_is_gone(couple, people):
    half = len(couple) // 2
    faces = FaceDetector(long_side=640, score=0.5)
    him = max(faces(couple[half].image), key=lambda face: face.box[0])
    left, top, right, bottom = him.box.astype(int)
    portrait = couple[half].image[max(top - 30, 0) : bottom + 30, left - 30 : right + 30]
    people.enroll_templates("Bruno", [probe(portrait, None).template], model=embedder_identity(None)[0])
    watcher = Watcher(people, people=True)
    moments = list(watcher.watch(Clip([*couple[:26], *hooded(couple[26:], faces)], frame_rate=12.5)))
    events = [event.to_dict() for moment in moments for event in moment.events]
    recognized = [event for event in events if event["event"] == "recognized"]
    assert [(event["kind"], event["subject"]) for event in recognized] == [("person", "Bruno")]
    body = recognized[0]["track_id"]
    assert moments[-2].faces == []
    last = dict(zip([person.track_id for person in moments[-2].people], moments[-2].people_labels, strict=True))
    assert len(last) == 2
    assert {track: label.subject for track, label in last.items() if label.state == "recognized"} == {body: "Bruno"}
    assert [(e["kind"], e["subject"]) for e in events if e["event"] == "left" and e["subject"]][-1] == (
        "person",
        "Bruno",
    )
    assert watcher.summary.subjects["Bruno"]["tracks"] == 1
    assert watcher.summary.subjects["Bruno"]["last"] == pytest.approx(moments[-2].frame.time, abs=0.1)


def hooded(frames, faces):
    """The same people with blurred heads, as if they had turned away."""
    for frame in frames:
        image = frame.image.copy()
        blurred = cv2.GaussianBlur(image, (0, 0), 9)
        for face in faces(image):
            left, top, right, bottom = face.box.astype(int).tolist()
            centre, axes = (
                ((left + right) // 2, (top + bottom) // 2),
                (4 * (right - left) // 5, 4 * (bottom - top) // 5),
            )
            head = cv2.ellipse(np.zeros_like(image), centre, axes, 0, 0, 360, (1, 1, 1), -1)
            image[head > 0] = blurred[head > 0]
        yield replace_image(frame, image)


def test_a_stream_that_dies_and_comes_back_goes_on_counting(pets):
    later = [replace(frame, index=frame.index + 20, time=frame.time + 300) for frame in pets[:8]]
    watcher = Watcher(zones=DOOR)
    moments = list(watcher.watch(clip([*pets[:8], *later], frame_rate=10, live=True)))
    events = [event.to_dict() for moment in moments for event in moment.events]
    gaps = [event for event in events if event["event"] == "gap"]
    assert [(gap["time"], gap["track_id"]) for gap in gaps] == [(300.0, None)]
    assert gaps[0]["seconds"] == pytest.approx(300 - pets[7].time)
    before = {event["track_id"] for event in events if event["event"] == "appeared" and event["time"] < 300}
    after = {event["track_id"] for event in events if event["event"] == "appeared" and event["time"] >= 300}
    assert min(after) == max(before) + 1
    assert [event["event"] for event in events].count("left") == len(before | after)


def test_people_are_the_same_when_the_picture_changes_its_size(pets):
    halves = [replace_image(frame, cv2.resize(frame.image, (600, 360))) for frame in pets[10:20]]
    watcher = Watcher(people=True)
    moments = list(watcher.watch(Clip([*pets[:10], *halves], frame_rate=10)))
    sizes = [moment.frame.image.shape[:2] for moment in moments[:-1]]
    assert set(sizes) == {(360, 480), (360, 600)}
    before = {person.track_id for person in moments[9].people}
    after = {person.track_id for person in moments[10].people}
    assert len(before) == 3
    assert after == before


def test_an_empty_scene_tells_nothing(models):
    noise = np.random.default_rng(0).integers(0, 40, (240, 320, 3), dtype=np.uint8)
    watcher = Watcher(zones=DOOR, moving_camera=True)
    assert lines(watcher, Clip([Frame(noise, index, index / 10) for index in range(5)], frame_rate=10)) == []
    assert watcher.summary.to_dict()["people"] == 0
    assert watcher.summary.to_dict()["lines"] == {"middle": {"forward": 0, "backward": 0}}


def test_zones_alone_follow_people_and_a_collection_alone_follows_faces(models, people):
    assert Watcher(zones=DOOR).summary.people == 0
    assert Watcher().summary.people is None
    assert "people" not in Watcher().summary.to_dict()
