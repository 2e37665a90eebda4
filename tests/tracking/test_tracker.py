"""The tracker on PETS ground-truth boxes and on made-up walks."""

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.errors import UsageError
from mien.evaluation.motchallenge import read_truth, write_results
from mien.evaluation.tracking import evaluate
from mien.tracking.tracker import Tracker

NONE = np.empty((0, 4), np.float32), np.empty(0, np.float32)


def at(*lefts, score=0.9, width=20.0, top=0.0):
    """Square boxes at the given left edges, with one score."""
    boxes = [[left, top, left + width, top + width] for left in lefts]
    return np.array(boxes, np.float32).reshape(-1, 4), np.full(len(lefts), score, np.float32)


def pets(data, tmp_path, every):
    """Figures of the tracker over the PETS truth at every `every`-th frame."""
    file = data("video/pets09_s2l1_480x360.gt.txt")
    truth = read_truth(file)
    tracker, ids = Tracker(frame_rate=7), np.full(len(truth.ids), -1)
    for frame in range(every, truth.frames.max() + 1, every):
        rows = np.flatnonzero((truth.frames == frame) & truth.evaluated)
        boxes = truth.boxes[rows].astype(np.float32)
        ids[rows] = tracker.update(boxes, np.ones(len(rows), np.float32), steps=every).track_ids
    seen = truth.frames % every == 0
    lines = [line for line in file.read_text().splitlines() if int(line.split(",")[0]) % every == 0]
    (tmp_path / "gt.txt").write_text("\n".join(lines))
    write_results(tmp_path / "out.txt", truth.frames[seen], ids[seen], truth.boxes[seen], np.ones(seen.sum()))
    return evaluate([tmp_path / "gt.txt"], [tmp_path / "out.txt"])


def test_pets_is_followed_as_well_as_the_trackers_package_does(data, tmp_path):
    row = pets(data, tmp_path, every=1)
    assert row["hota"] >= 0.966
    assert row["idf1"] >= 0.941
    assert row["fp"] == 0


@pytest.mark.parametrize(("every", "hota", "idf1"), [(2, 0.96, 0.935), (3, 0.955, 0.93), (5, 0.91, 0.91)])
def test_pets_is_followed_when_frames_are_skipped(data, tmp_path, every, hota, idf1):
    row = pets(data, tmp_path, every)
    assert row["hota"] >= hota
    assert row["idf1"] >= idf1


def test_two_walkers_keep_their_ids_while_they_pass_each_other():
    tracker, seen = Tracker(), []
    for step in range(41):
        boxes = np.array([[step * 5, 0, step * 5 + 20, 40], [200 - step * 5, 8, 220 - step * 5, 48]], np.float32)
        seen.append(tracker.update(boxes, np.ones(2, np.float32)).track_ids.tolist())
    assert seen == [[1, 2]] * 41


def test_a_track_gets_its_id_in_its_second_frame_and_in_the_first_frame_of_all_at_once():
    tracker = Tracker()
    assert tracker.update(*at(0)).track_ids.tolist() == [1]
    assert tracker.update(*at(0, 200)).track_ids.tolist() == [1, -1]
    assert tracker.update(*at(200, 0)).track_ids.tolist() == [2, 1]


def test_what_is_seen_once_gets_no_id_and_never_ends():
    tracker = Tracker(lost_seconds=0)
    tracker.update(*NONE)
    assert tracker.update(*at(0)).track_ids.tolist() == [-1]
    for _ in range(3):
        assert tracker.update(*NONE).ended == ()
    assert tracker.update(*at(0)).track_ids.tolist() == [-1]
    assert tracker.finish() == ()


@pytest.mark.parametrize(("hidden", "id_after"), [(10, 1), (11, -1)])
def test_a_lost_track_is_kept_for_the_lost_seconds(hidden, id_after):
    tracker = Tracker(frame_rate=10, lost_seconds=1)
    for _ in range(3):
        tracker.update(*at(50))
    ended = [tracker.update(*NONE).ended for _ in range(hidden)]
    update = tracker.update(*at(50))
    assert update.track_ids.tolist() == [id_after]
    assert [track for frame in ended for track in frame] == ([] if id_after == 1 else [1])


def test_lost_seconds_count_skipped_frames():
    for steps, expected in ((11, 1), (12, -1)):
        tracker = Tracker(frame_rate=10, lost_seconds=1)
        tracker.update(*at(50))
        update = tracker.update(*at(50), steps=steps)
        assert update.track_ids.tolist() == [expected]
        assert update.ended == (() if expected == 1 else (1,))


def test_a_walker_behind_a_pillar_is_found_where_he_comes_out():
    tracker = Tracker(frame_rate=10)
    for step in range(10):
        tracker.update(*at(step * 8))
    for _ in range(6):
        tracker.update(*NONE)
    ids, boxes = tracker.positions()
    assert ids.tolist() == [1]
    assert boxes[0] == pytest.approx([15 * 8, 0, 15 * 8 + 20, 20], abs=4)
    assert tracker.update(*at(16 * 8)).track_ids.tolist() == [1]


def test_weak_detections_continue_a_track_and_begin_none():
    tracker = Tracker()
    tracker.update(*at(0))
    for _ in range(5):
        assert tracker.update(*at(0, 200, score=0.3)).track_ids.tolist() == [1, -1]
    assert tracker.update(*at(0, score=0.05)).track_ids.tolist() == [-1]


def test_a_detection_between_high_and_new_begins_no_track():
    tracker = Tracker(high=0.5, new=0.8)
    for _ in range(3):
        assert tracker.update(*at(0, score=0.7)).track_ids.tolist() == [-1]


def test_a_small_face_that_jumps_past_its_own_box_is_followed():
    tracker = Tracker(frame_rate=12)
    lefts = [0, 22, 46, 70, 94]
    assert [tracker.update(*at(left)).track_ids.tolist() for left in lefts] == [[1]] * 5
    plain = Tracker(frame_rate=12, enlarge=0)
    assert [plain.update(*at(left)).track_ids.tolist() for left in lefts][1:3] == [[-1], [-1]]


def test_trackers_of_one_stream_share_their_numbers():
    ids = count(1)
    faces, bodies = Tracker(confirm=1, ids=ids), Tracker(confirm=1, ids=ids)
    assert faces.update(*at(0, 100)).track_ids.tolist() == [1, 2]
    assert bodies.update(*at(0)).track_ids.tolist() == [3]
    assert faces.update(*at(0, 100, 200)).track_ids.tolist() == [1, 2, 4]


def test_a_picture_of_another_size_keeps_its_tracks():
    tracker, larger = Tracker(confirm=1), np.array([[3.0, 0, 0], [0, 3, 0]])
    boxes, scores = at(50, 100)
    tracker.update(boxes, scores)
    assert tracker.update(boxes * 3, scores, motion=larger).track_ids.tolist() == [1, 2]


def test_ids_are_never_given_twice():
    tracker = Tracker(confirm=1)
    tracker.update(*at(0, 100))
    assert tracker.finish() == (1, 2)
    assert tracker.finish() == ()
    assert tracker.update(*at(0)).track_ids.tolist() == [3]


WALKS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 12), st.integers(0, 10)), max_size=6),
        st.integers(1, 4),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(WALKS)
def test_any_detections_give_the_same_ids_each_once_a_frame_and_each_ended_once(frames):
    runs = []
    for _ in range(2):
        tracker, run, ended = Tracker(frame_rate=5), [], []
        for detections, steps in frames:
            boxes = np.array([[x * 8, 0, x * 8 + 20, 20] for x, _ in detections], np.float32).reshape(-1, 4)
            scores = np.array([score / 10 for _, score in detections], np.float32)
            update = tracker.update(boxes, scores, steps=steps)
            assert update.track_ids.shape == (len(detections),)
            assert update.track_ids.dtype == np.int64
            named = update.track_ids[update.track_ids >= 0].tolist()
            assert len(set(named)) == len(named)
            assert not set(named) & set(ended)
            run.append(named)
            ended += update.ended
        ended += tracker.finish()
        assert len(set(ended)) == len(ended)
        assert sorted(ended) == list(range(1, len(ended) + 1)) == sorted({i for named in run for i in named})
        runs.append((run, ended))
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"frame_rate": 0},
        {"frame_rate": float("nan")},
        {"high": 1.5},
        {"low": 0.7},
        {"new": 0.5},
        {"overlap": 1},
        {"weak_overlap": -0.1},
        {"enlarge": -1},
        {"confirm": 0},
        {"lost_seconds": -1},
    ],
)
def test_an_argument_out_of_range_is_named(arguments):
    with pytest.raises(UsageError, match=next(iter(arguments))):
        Tracker(**arguments)


def test_detections_that_do_not_fit_are_refused():
    tracker = Tracker()
    boxes, scores = at(0, 100)
    for bad in [(boxes[:1], scores), (boxes[:, :3], scores), (boxes[0], scores)]:
        with pytest.raises(UsageError, match="expected boxes"):
            tracker.update(*bad)
    with pytest.raises(UsageError, match="steps"):
        tracker.update(boxes, scores, steps=0)
    boxes[0, 0] = np.nan
    with pytest.raises(UsageError, match="NaN"):
        tracker.update(boxes, scores)
