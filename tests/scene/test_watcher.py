import threading
from contextlib import closing

import cv2
import numpy as np
import pytest
from scene_streams import Clip, steady, still

from mien.errors import BadInputError, MissingError, UsageError
from mien.face.embedder import embedder_identity
from mien.identity.pictures import probe
from mien.records import Match, Template
from mien.scene.watcher import Watcher


def told(moments):
    return [(event.event, event.track_id, event.subject) for moment in moments for event in moment.events]


def stranger(seed=0):
    """A template of the default embedder that resembles nobody."""
    name, fingerprint = embedder_identity(None)
    vector = np.random.default_rng(seed).standard_normal(256).astype(np.float32)
    return name, Template(vector / np.linalg.norm(vector), fingerprint, 0.5)


def enroll(people, image, name="ada"):
    people.enroll_templates(name, [probe(image, None).template], model=embedder_identity(None)[0])


def detecting():
    return [thread for thread in threading.enumerate() if thread.name.startswith("mien-detect")]


def test_a_face_is_followed_and_recognized_with_one_feature(portrait, people):
    enroll(people, portrait)
    watcher = Watcher(people)
    moments = list(watcher.watch(still(portrait, steady(12))))
    assert told(moments) == [("appeared", 1, None), ("recognized", 1, "ada"), ("left", 1, "ada")]
    assert [len(moment.faces) for moment in moments] == [1] * 12 + [0]
    assert [moment.is_end for moment in moments] == [False] * 12 + [True]
    assert {moment.labels[0].subject for moment in moments[1:12]} == {"ada"}
    summary = watcher.summary.to_dict()
    assert (summary["frames"], summary["tracks"], summary["extractions"]) == (12, 1, 1)
    assert summary["subjects"] == {"ada": {"tracks": 1, "first": 0.0, "last": 0.44}}
    left = moments[-1].events[0]
    assert (left.time, left.frame, left.duration) == (0.44, 11, 0.44)
    assert left.similarity == moments[0].events[1].similarity > 0.9


def test_templates_that_never_named_their_embedder_are_searched_all_the_same(portrait, people):
    people.enroll_templates("ada", [probe(portrait, None).template])
    assert ("recognized", 1, "ada") in told(Watcher(people).watch(still(portrait, steady(3))))


def test_a_stranger_is_unknown_a_second_after_the_first_search(portrait, people):
    name, template = stranger()
    people.enroll_templates("somebody else", [template], model=name)
    moments = list(Watcher(people).watch(still(portrait, steady(30))))
    assert told(moments) == [("appeared", 1, None), ("unknown", 1, None), ("left", 1, None)]
    times = [event.time for moment in moments for event in moment.events]
    assert times == pytest.approx([0, 1.0, 1.16])
    assert [moment.labels[0].state for moment in moments[:-1]] == ["undecided"] * 25 + ["unknown"] * 5


def test_a_stranger_who_leaves_earlier_is_unknown_on_leaving(portrait, people):
    name, template = stranger()
    people.enroll_templates("somebody else", [template], model=name)
    moments = Watcher(people).watch(still(portrait, steady(5)))
    assert told(moments) == [("appeared", 1, None), ("unknown", 1, None), ("left", 1, None)]


def test_a_track_that_ends_before_a_good_shot_is_searched_with_the_best_it_had(portrait, people):
    enroll(people, portrait)
    blurred = cv2.GaussianBlur(cv2.resize(portrait, (96, 72), interpolation=cv2.INTER_AREA), (0, 0), 2.2)
    watcher = Watcher(people)
    moments = list(watcher.watch(still(blurred, steady(6))))
    names = [name for name, _, _ in told(moments)]
    assert all(event.quality < 0.5 for moment in moments for event in moment.events if event.event == "left")
    assert names[0] == "appeared"
    assert names[1] in ("recognized", "unknown")
    assert names[2:] == ["left"]
    assert [event.event for event in moments[-1].events] == names[1:]
    assert watcher.summary.extractions == 1


def test_without_a_collection_faces_are_only_followed(portrait):
    watcher = Watcher()
    assert told(watcher.watch(still(portrait, steady(4)))) == [("appeared", 1, None), ("left", 1, None)]
    assert watcher.summary.extractions == 0


class Mistaken:
    """Stands for a recognizer that takes a track for somebody else after a better shot."""

    extractions = 2

    def __init__(self, *subjects):
        self.subjects = list(subjects)

    def look(self, image, faces, traces, time):
        return traces

    def search(self, traces, time):
        for trace in traces:
            if self.subjects:
                name = self.subjects.pop(0)
                trace.match, trace.asked = (Match(name, 0.9, "0") if name else None), trace.asked or time

    def end(self, track_id):
        return False


def test_a_correction_is_told(portrait):
    watcher = Watcher()
    watcher._recognizer = Mistaken(None, "ada", "ada", "grace")
    events = told(watcher.watch(still(portrait, steady(6))))
    assert events == [("appeared", 1, None), ("recognized", 1, "ada"), ("recognized", 1, "grace"), ("left", 1, "grace")]
    assert watcher.summary.subjects["grace"] == {"tracks": 1, "first": 0.0, "last": 0.2}


def test_a_live_stream_that_was_away_does_not_keep_its_tracks(portrait):
    times = steady(4) + steady(4, start=60.0)
    live = told(Watcher().watch(still(portrait, times, live=True)))
    assert live == [
        ("appeared", 1, None), ("gap", None, None), ("left", 1, None), ("appeared", 2, None), ("left", 2, None),
    ]  # fmt: skip
    # Of a file every frame comes, whatever its times say.
    assert told(Watcher().watch(still(portrait, times))) == [("appeared", 1, None), ("left", 1, None)]


def test_frames_that_were_dropped_count_as_time(portrait):
    clip = still(portrait, steady(4))
    late = still(portrait, steady(4))
    clip.frames += [type(frame)(frame.image, frame.index + 500, frame.time + 20) for frame in late.frames]
    assert [name for name, _, _ in told(Watcher().watch(clip))] == ["appeared", "left", "appeared", "left"]


def test_a_camera_that_goes_away_ends_its_tracks_before_the_error(portrait):
    watcher, moments = Watcher(), []
    clip = still(portrait, steady(5), error=MissingError("cam: no picture", code="camera_unreachable"))
    with pytest.raises(MissingError, match="no picture"):
        moments.extend(watcher.watch(clip))
    assert told(moments) == [("appeared", 1, None), ("left", 1, None)]
    assert watcher.summary.frames == 5


def test_the_summary_holds_and_no_thread_stays_when_the_consumer_stops(portrait):
    watcher, clip = Watcher(), still(portrait, steady(200))
    with closing(watcher.watch(clip)) as moments:
        for moment in moments:
            if moment.frame.index == 3:
                break
    assert watcher.summary.frames == 4
    assert clip.taken < 20
    assert detecting() == []


def test_no_thread_stays_when_the_consumer_fails(portrait):
    watcher = Watcher()
    with pytest.raises(ZeroDivisionError), closing(watcher.watch(still(portrait, steady(50)))) as moments:  # noqa: PT012
        for _ in moments:
            raise ZeroDivisionError
    assert detecting() == []
    assert watcher.summary.frames == 1


def test_a_track_that_ended_is_forgotten(portrait):
    watcher = Watcher()
    empty = np.zeros_like(portrait)
    clip = still(portrait, steady(3))
    clip.frames += still(empty, steady(60)).frames
    clip = Clip([type(f)(f.image, index, index / 25) for index, f in enumerate(clip.frames)])
    for moment in watcher.watch(clip):
        if moment.frame.index == 2:
            assert watcher.extractions(1) == 0
    with pytest.raises(KeyError):
        watcher.extractions(1)


def test_a_stream_without_frames_has_no_moments(models):
    watcher = Watcher()
    assert list(watcher.watch(Clip([]))) == []
    assert watcher.summary.to_dict()["fps"] == 0.0


@pytest.mark.parametrize("fpir", [0, 1, -1, float("nan")])
def test_a_rate_that_is_none_is_refused(models, fpir):
    with pytest.raises(UsageError, match="fpir"):
        Watcher(fpir=fpir)


def test_a_collection_that_is_missing_is_refused_at_once(models, people):
    with pytest.raises(BadInputError) as caught:
        Watcher(people)
    assert caught.value.code == "collection_missing"
