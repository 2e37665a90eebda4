"""Each rule against a truth that is found in another way: from whole tracks, after the fact."""

import cv2
import numpy as np
import pytest
from pets_boxes import FRAME_RATE, HEIGHT, TRUTH, WIDTH, Track, play, read_tracks, zones

from mien.evaluation.events import agreement

MIDDLE = [[0.3, 0.3], [0.8, 0.3], [0.8, 0.8], [0.3, 0.8]]
LEFT = [[0.02, 0.25], [0.45, 0.25], [0.4, 0.95], [0.05, 0.95]]


@pytest.fixture(scope="module")
def tracks(data):
    return read_tracks(data(TRUTH))


def starts(told, kind, track_id=None):
    return np.array(
        [
            one.facts["since"]
            for _, one in told
            if one.event == kind and one.facts["phase"] == "start" and track_id in (None, one.track_id)
        ]
    )


def inside(points, polygon):
    corners = (np.array(polygon) * [WIDTH, HEIGHT]).astype(np.float32)
    return np.array([cv2.pointPolygonTest(corners, (float(x), float(y)), False) >= 0 for x, y in points])


def runs(times, holds, seconds):
    """Starts of what holds for `seconds` at least; interruptions of less than a second do not count."""
    at = times[holds]
    if not len(at):
        return []
    cuts = np.flatnonzero(np.diff(at) >= 1.0)
    firsts, lasts = at[np.concatenate([[0], cuts + 1])], at[np.concatenate([cuts, [len(at) - 1]])]
    return [first for first, last in zip(firsts, lasts, strict=True) if last - first >= seconds]


def compare(truth, told, kind, tolerance=1.0):
    """Precision and recall over all tracks, each compared with its own truth."""
    rows = [agreement(np.array(times), starts(told, kind, number), tolerance) for number, times in truth.items()]
    right, false, missed = (sum(getattr(row, name) for row in rows) for name in ("right", "false", "missed"))
    assert right + missed >= 5
    return right / max(right + false, 1), right / (right + missed)


@pytest.mark.parametrize(("kind", "seconds", "polygon"), [("intrusion", 0.5, LEFT), ("loitering", 8.0, MIDDLE)])
def test_stays_are_told(tracks, kind, seconds, polygon):
    what = zones(zone=[{"name": "z", "polygon": polygon}], rule=[{"kind": kind, "zone": "z", "seconds": seconds}])
    truth = {n: runs(t.times, inside(t.feet, polygon), seconds) for n, t in tracks.items()}
    precision, recall = compare({n: np.array(s) + seconds for n, s in truth.items()}, play(tracks, what)[1], kind)
    assert precision >= 0.9
    assert recall >= 0.9


def test_crowding_is_told(tracks):
    what = zones(zone=[{"name": "z", "polygon": MIDDLE}], rule=[{"kind": "crowding", "zone": "z", "people": 5}])
    times = np.unique(np.concatenate([track.times for track in tracks.values()]))
    count = np.zeros(len(times), int)
    for track in tracks.values():
        count[np.searchsorted(times, track.times[inside(track.feet, MIDDLE)])] += 1
    truth = runs(times, count >= 5, 2.0)
    found = agreement(np.array(truth), starts(play(tracks, what)[1], "crowding"), 1.0)
    assert found.right >= 3
    assert (found.false, found.missed) == (0, 0)


def test_running_is_told(tracks):
    # Nobody runs in the clip. Every other person is played three times as fast, which is a run for most of them.
    played, runners = {}, set()
    for number, track in tracks.items():
        is_fast = number % 2 == 0
        step = 3 if is_fast else 1
        boxes = track.boxes[::step]
        played[number] = Track(track.times[: len(boxes)], boxes)
        # The fastest two seconds of the whole way, from where the person was, not from how boxes moved.
        span = round(2 * FRAME_RATE)
        ways = np.linalg.norm(played[number].feet[span:] - played[number].feet[:-span], axis=1)
        if is_fast and len(ways) and ways.max() / 2 / track.height > 1.5:
            runners.add(number)
    told = {one.track_id for _, one in play(played, zones(rule=[{"kind": "running"}]))[1]}
    assert len(runners) >= 5
    assert len(told & runners) / len(runners) >= 0.9
    assert len(told & runners) / len(told) >= 0.9


def test_nobody_runs_in_the_clip(tracks):
    assert not len(starts(play(tracks, zones(rule=[{"kind": "running"}]))[1], "running"))


def test_going_the_wrong_way_is_told(tracks):
    what = zones(rule=[{"kind": "wrong_direction", "allowed": [1, 0]}])
    truth = {}
    for number, track in tracks.items():
        x = track.feet[:, 0] / track.height
        # Where the way back from the farthest point so far reaches one body height, until it turned round for half.
        found, peak, low, wrong = [], x[0], None, False
        for time, _before, place in zip(track.times[1:], x, x[1:], strict=False):
            if not wrong:
                peak = max(peak, place)
                if peak - place >= 1:
                    wrong, low = True, place
                    found.append(time)
            else:
                low = min(low, place)
                if place - low >= 0.5:
                    wrong, peak = False, place
        truth[number] = found
    precision, recall = compare(truth, play(tracks, what)[1], "wrong_direction", 1.5)
    assert precision >= 0.85
    assert recall >= 0.85


def falling(*, seconds=0.6, to=(1.5, 0.5), after=3.0, drop=1.0, top_stays=False):
    """Somebody 100 pixels high and 40 wide, who becomes as wide and high as `to` times 100 within `seconds`."""
    times = np.arange(0, 3 + seconds + after, 1 / 25)
    share = np.clip((times - 3) / seconds, 0, 1)
    width, height = 40 + share * (to[0] * 100 - 40), 100 + share * (to[1] * 100 - 100)
    top = np.full(len(times), 100.0) if top_stays else 200 - height * drop - (1 - drop) * 100
    return Track(times, np.stack([200 - width / 2, top, 200 + width / 2, top + height], axis=1))


FALLS = {
    "sideways": falling(),
    "slowly": falling(seconds=1.2),
    "on the knees, then down": falling(to=(1.2, 0.6)),
    "at once": falling(seconds=0.1),
}
NO_FALLS = {
    "sits down": falling(to=(0.55, 0.65)),
    "crouches": falling(to=(0.6, 0.5)),
    "lies down on purpose": falling(seconds=5.0),
    "is half hidden behind a counter": falling(to=(0.6, 0.4), top_stays=True),
    "stretches the arms": falling(to=(1.3, 1.0)),
    "gets up at once": falling(after=0.5),
    "walks away": falling(seconds=3.0, to=(0.16, 0.4)),
}


def test_falls_are_told():
    # No clip at hand shows a fall: these boxes are made up, and say nothing about how well detectors box who lies.
    people = {**FALLS, **NO_FALLS}
    told = {}
    for name, track in people.items():
        told[name] = starts(play({1: track}, zones(rule=[{"kind": "fall"}]))[1], "fall")
    assert {name for name in people if len(told[name])} == set(FALLS)
    assert all(len(told[name]) == 1 and 3.0 < told[name][0] < 4.5 for name in FALLS)


def test_an_episode_is_told_once_and_has_an_end():
    what = zones(rule=[{"kind": "fall"}])
    told = play({1: falling(after=4.0)}, what)[1]
    assert [(one.event, one.facts["phase"]) for _, one in told] == [("fall", "start"), ("fall", "end")]
    assert set(told[0][1].facts) == {"rule", "zone", "phase", "since"}
    assert told[1][1].facts["lasted"] == pytest.approx(told[1][0] - told[1][1].facts["since"], abs=0.1)
    assert told[1][1].box is not None


def test_a_flickering_crowd_is_one_episode():
    times = np.arange(0, 10, 0.1)
    box = [[40, 40, 60, 100]]
    tracks = {n: Track(times, np.tile(np.add(box, [30 * n, 0, 30 * n, 0]), (len(times), 1))) for n in range(1, 4)}
    there = (times % 1.0 < 0.6) | (times < 3)
    tracks[3] = Track(times[there], tracks[3].boxes[there])
    behaviour, told = play(tracks, zones(rule=[{"kind": "crowding", "people": 3, "seconds": 2}]), keep=5)
    assert [one.facts["phase"] for _, one in told] == ["start", "end"]
    assert told[0][1].facts["people"] == 3
    assert (told[0][1].track_id, told[0][1].box) == (None, None)
    assert behaviour.summary()["rules"] == {"crowding": 1}
