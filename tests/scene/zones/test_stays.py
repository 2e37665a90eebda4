"""Entries, exits, stays and queues in zones."""

import cv2
import numpy as np
import pytest
from pets_boxes import HEIGHT, TRUTH, WIDTH, Track, play, read_tracks, zones
from test_counting import walk

from mien.errors import UsageError
from mien.scene.zones.behaviour import Behaviour

MIDDLE = [[0.25, 0.0], [0.75, 0.0], [0.75, 1.0], [0.25, 1.0]]
SIZE = {"width": 400, "height": 200}


def stays(tracks, polygon=MIDDLE, **kinds):
    """The summary of one zone, and (event, track, seconds of stay) as they were told."""
    what = zones(zone=[{"name": "z", "polygon": polygon, "point": kinds.pop("point", "foot")}])
    behaviour, told = play(dict(enumerate(tracks, 1)), what, **{**SIZE, **kinds})
    events = [(one.event, one.track_id, one.facts.get("dwell")) for _, one in told]
    assert all(one.facts["zone"] == "z" for _, one in told)
    return behaviour.summary()["zones"]["z"], events


def test_a_walk_through_a_zone_is_one_stay():
    summary, events = stays([walk([(50, 100), (350, 100)])])  # 200 pixels of it inside, at 100 a second
    assert [event for event, _, _ in events] == ["entered", "exited"]
    assert events[1][2] == pytest.approx(2.0, abs=0.05)
    assert (summary["visits"], summary["people"], summary["peak"]) == (1, 1, 1)
    assert summary["mean_dwell"] == events[1][2]


def test_who_trembles_on_the_border_comes_once():
    border = [(100, 100)] * 20
    _, events = stays([walk([(50, 100), *border, (200, 100)], tremble=1.5)])
    assert [event for event, _, _ in events] == ["entered", "exited"]  # the exit is the track's end
    _, events = stays([walk([(200, 100), *border, (200, 100)], tremble=1.5)])
    assert [event for event, _, _ in events].count("entered") == 1


def test_a_zone_thinner_than_the_margin_can_be_entered_by_standing_in_it():
    thin = [[0.49, 0.0], [0.51, 0.0], [0.51, 1.0], [0.49, 1.0]]  # 8 pixels; people are 100 high
    still = walk([(100, 190), (200, 190), (200, 190), (200, 190), (300, 190)], size=(30, 100))
    summary, _ = stays([still], thin)
    assert summary["visits"] == 1
    assert summary["mean_dwell"] == pytest.approx(2.1, abs=0.1)


def test_a_stay_goes_on_while_the_track_is_lost():
    track = walk([(50, 100), (350, 100)])
    lost = (track.times > 1.0) & (track.times < 2.0)
    _, events = stays([Track(track.times[~lost], track.boxes[~lost])])
    assert [event for event, _, _ in events] == ["entered", "exited"]
    assert events[1][2] == pytest.approx(2.0, abs=0.05)


def test_who_ends_in_a_zone_leaves_it_when_last_seen():
    summary, events = stays([walk([(50, 100), (200, 100)]), walk([(60, 100), (390, 100)])], keep=1.5)
    assert ("exited", 1, pytest.approx(1.0, abs=0.05)) in events
    assert summary["mean_dwell"] == pytest.approx(1.5, abs=0.05)


def test_who_is_first_seen_in_a_zone_is_in_it():
    _, events = stays([walk([(200, 100), (200, 100), (380, 100)])])
    assert [event for event, _, _ in events] == ["entered", "exited"]
    assert events[1][2] == pytest.approx(2.0, abs=0.1)


def test_occupancy_and_queue():
    stand = [walk([(x, 100), *[(x, 100)] * 10], tremble=0.3, seed=x) for x in (150, 200, 250)]
    passing = walk([(50, 190), (350, 190)], start=4.0)
    summary, _ = stays([*stand, passing])
    assert (summary["visits"], summary["people"], summary["peak"], summary["longest_queue"]) == (4, 4, 4, 3)
    assert summary["mean_people"] == pytest.approx(3.2, abs=0.1)
    assert 2.7 < summary["mean_queue"] <= 3.0


def test_two_visits_of_one_person():
    summary, events = stays([walk([(50, 100), (200, 100), (50, 100), (200, 100), (50, 100)])])
    assert (summary["visits"], summary["people"]) == (2, 1)
    assert len(events) == 4


def test_a_zone_by_the_middle_of_the_body():
    upper = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [0.0, 0.5]]
    track = walk([(50, 120), (350, 120)])  # the centre is at 90
    assert stays([track], upper)[1] == []
    assert len(stays([track], upper, point="centre")[1]) == 2


def test_an_empty_scene():
    behaviour = Behaviour(zones(zone=[{"name": "z", "polygon": MIDDLE}], rule=[{"kind": "crowding", "people": 1}]))
    nobody = np.empty(0, np.int64), np.empty((0, 4), np.float32)
    for at in range(5):
        assert behaviour.update(*nobody, time=at / 25, width=400, height=200) == []
    summary = behaviour.summary()["zones"]["z"]
    assert (summary["visits"], summary["mean_dwell"], summary["peak"]) == (0, None, 0)


def test_a_stream_that_was_away_goes_on_counting():
    times = [walk([(50, 100), (200, 100)]), walk([(50, 100), (350, 100)], start=3600.0)]
    summary, _ = stays(times)
    assert summary["visits"] == 2
    assert summary["mean_people"] < 1.0  # nobody is said to have been there in the hour between
    assert summary["mean_people"] > 0.4


def test_a_box_a_track_is_needed():
    with pytest.raises(UsageError) as caught:
        Behaviour(zones()).update(np.array([1, 2]), np.zeros((1, 4), np.float32), time=0, width=4, height=4)
    assert caught.value.code == "tracks_mismatch"


def test_the_same_tracks_tell_the_same(data):
    tracks = read_tracks(data(TRUTH))
    what = zones(
        zone=[{"name": "z", "polygon": MIDDLE}],
        line=[{"name": "l", "from": (0.5, 0), "to": (0.5, 1)}],
        rule=[{"kind": "running", "speed": 0.7}, {"kind": "loitering", "zone": "z", "seconds": 5}],
    )
    first, second = ([(t, h.event, h.track_id, h.facts) for t, h in play(tracks, what)[1]] for _ in range(2))
    assert first == second
    assert len(first) > 50


def test_stays_in_a_clip_are_as_long_as_in_its_truth(data):
    tracks = read_tracks(data(TRUTH))
    polygon = [[0.3, 0.3], [0.8, 0.3], [0.8, 0.8], [0.3, 0.8]]
    corners = (np.array(polygon) * [WIDTH, HEIGHT]).astype(np.float32)
    seconds, visits = 0.0, 0
    for track in tracks.values():
        inside = np.array([cv2.pointPolygonTest(corners, (float(x), float(y)), False) > 0 for x, y in track.feet])
        edges = np.flatnonzero(np.diff(np.concatenate([[0], inside, [0]])))
        lengths = (edges[1::2] - edges[::2])[(edges[1::2] - edges[::2]) > 5] / 10
        seconds, visits = seconds + lengths.sum(), visits + len(lengths)
    behaviour, _ = play(tracks, zones(zone=[{"name": "z", "polygon": polygon}]))
    summary = behaviour.summary()["zones"]["z"]
    assert abs(summary["visits"] - visits) <= 1
    assert summary["mean_dwell"] == pytest.approx(seconds / visits, rel=0.05)


def broken(track, after, gap, shift=0):
    """A track in two: lost at `after` seconds, found again as another one `gap` seconds later, `shift` pixels aside."""
    first, second = track.times <= after, track.times >= after + gap
    return [Track(track.times[first], track.boxes[first]), Track(track.times[second], track.boxes[second] + shift)]


def test_a_broken_track_is_one_stay():
    walked = walk([(50, 100), (350, 100)])
    summary, events = stays(broken(walked, 1.5, 0.6), keep=3.0)
    assert [event for event, _, _ in events] == ["entered", "exited"]
    assert [track for _, track, _ in events] == [1, 2]
    assert events[1][2] == pytest.approx(2.0, abs=0.05)
    assert (summary["visits"], summary["people"], summary["peak"]) == (1, 1, 1)


def test_a_track_that_is_found_where_another_was_lost_goes_on_with_its_stay():
    first, second = broken(walk([(50, 100), (350, 100)]), 1.5, 0.6)
    before = walk([(20, 100), (40, 100)])  # outside, where the second number was seen at first
    second = Track(np.concatenate([before.times, second.times]), np.concatenate([before.boxes, second.boxes]))
    summary, events = stays([first, second], keep=3.0)
    assert [event for event, _, _ in events] == ["entered", "exited"]
    assert summary["mean_dwell"] == pytest.approx(2.0, abs=0.05)


def test_what_is_told_of_a_zone_does_not_depend_on_the_others():
    lost = walk([(50, 100), (200, 100)])
    small = {"name": "small", "polygon": [[0.4, 0.0], [0.6, 0.0], [0.6, 1.0], [0.4, 1.0]]}
    # The first who appears takes over the stay in the large zone only, the second one that in the small one.
    later = [walk([(240, 100), (250, 100)], start=2.0), walk([(205, 100), (225, 100)], start=2.2)]
    both = zones(zone=[{"name": "z", "polygon": MIDDLE}, small])
    tracks = dict(enumerate([lost, *later], 1))
    told = [one for _, one in play(tracks, both, **SIZE, keep=4.0)[1] if one.facts["zone"] == "z"]
    assert [(one.event, one.track_id, one.facts.get("dwell")) for one in told] == stays([lost, *later], keep=4.0)[1]


def test_who_appears_far_from_a_lost_track_is_somebody_else():
    summary, _ = stays(broken(walk([(50, 100), (350, 100)], speed=50), 2.0, 0.2, shift=[120, 60, 120, 60]), keep=3.0)
    assert summary["visits"] == 2


def test_who_appears_beside_a_track_that_is_seen_is_somebody_else():
    stand = [(200, 100)] * 5
    summary, _ = stays([walk(stand), walk([(215, 100)] * 3, start=1.0)], keep=3.0)
    assert (summary["visits"], summary["people"], summary["peak"]) == (2, 2, 2)


def test_who_gave_a_stay_away_and_comes_back_begins_a_new_one():
    stand = walk([(200, 100)] * 9)
    first, second = broken(stand, 2.0, 0.5)
    aside = np.add(stand.boxes[:3], [30, 0, 30, 0])
    first = Track(np.append(first.times, [6.0, 6.2, 6.4]), np.concatenate([first.boxes, aside]))
    summary, events = stays([first, second], keep=9.0)
    assert summary["visits"] == 2
    dwells = sorted(dwell for _, _, dwell in events if dwell is not None)
    assert dwells == [pytest.approx(0.4 + 2.0, abs=0.1), pytest.approx(8.0, abs=0.1)]
