"""Line crossings of people made up for it, of the PETS clip's true boxes, and of all of these turned round."""

import itertools

import numpy as np
import pytest
from pets_boxes import HEIGHT, TRUTH, WIDTH, Track, play, read_tracks, zones

from mien.scene.zones.behaviour import Behaviour


def walk(points, *, rate=25, size=(20, 60), speed=100, tremble=0.0, start=0.0, seed=0):
    """Feet that go from point to point in pixels, `speed` pixels a second; two equal points are a second's stand."""
    places = [np.array(points[:1], float)]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        steps = max(1, round(rate * np.hypot(x1 - x0, y1 - y0) / speed)) if (x0, y0) != (x1, y1) else rate
        places.append(np.linspace((x0, y0), (x1, y1), steps + 1)[1:])
    feet = np.concatenate(places)
    feet = feet + np.random.default_rng(seed).normal(0, tremble, feet.shape)
    half, tall = size[0] / 2, size[1]
    boxes = np.stack([feet[:, 0] - half, feet[:, 1] - tall, feet[:, 0] + half, feet[:, 1]], axis=1)
    return Track(start + np.arange(len(feet)) / rate, boxes)


def counts(tracks, start=(0.5, 0.0), end=(0.5, 1.0), point="foot", **size):
    """Crossings forward and backward of one line in a picture of 400 x 200, and their directions in order."""
    what = zones(line=[{"name": "door", "from": start, "to": end, "point": point}])
    tracks = dict(enumerate(tracks, 1)) if isinstance(tracks, list) else tracks
    behaviour, told = play(tracks, what, **{"width": 400, "height": 200, **size})
    line = behaviour.summary()["lines"]["door"]
    directions = [one.facts["direction"] for _, one in told]
    assert directions.count("forward") == line["forward"]
    return line["forward"], line["backward"]


def test_from_left_to_right_is_forward_on_a_line_drawn_from_top_to_bottom():
    there, back = walk([(100, 100), (300, 100)]), walk([(300, 100), (100, 100)])
    assert counts([there]) == (1, 0)
    assert counts([back]) == (0, 1)
    assert counts([there, back, there]) == (2, 1)
    assert counts([there], start=(0.5, 1.0), end=(0.5, 0.0)) == (0, 1)


def test_forward_goes_by_the_formula_for_every_slant():
    random = np.random.default_rng(1)
    for _ in range(20):
        start, end = random.uniform(0.1, 0.9, (2, 2))
        d = (end - start) * [400, 200]
        normal = np.array([d[1], -d[0]]) / np.hypot(*d)  # dx * vy - dy * vx < 0 there
        middle = (start + end) / 2 * [400, 200]
        track = walk([tuple(middle - 40 * normal), tuple(middle + 40 * normal)])
        if np.hypot(*d) > 30:
            assert counts([track], tuple(start), tuple(end)) == (1, 0)


@pytest.mark.parametrize("tremble", [0.0, 1.0, 1.5])
def test_who_loiters_on_the_line_counts_once(tremble):
    on_it = [(200, 100)] * 20
    assert counts([walk([(150, 100), *on_it, (250, 100)], tremble=tremble)]) == (1, 0)
    assert counts([walk([(150, 100), *on_it, (150, 100)], tremble=tremble)]) == (0, 0)


def test_going_to_and_fro_over_the_line_counts_each_time():
    assert counts([walk([(150, 100), (250, 100), (150, 100), (250, 100)])]) == (2, 1)


def test_past_the_ends_of_a_line_nobody_crosses_it():
    line = {"start": (0.5, 0.4), "end": (0.5, 0.6)}
    assert counts([walk([(100, 70), (300, 70)])], **line) == (0, 0)
    assert counts([walk([(100, 130), (300, 130)])], **line) == (0, 0)
    assert counts([walk([(100, 100), (300, 100)])], **line) == (1, 0)
    round_it = walk([(100, 100), (195, 100), (195, 60), (205, 60), (205, 100), (300, 100)])
    assert counts([round_it], **line) == (0, 0)


def test_what_crosses_is_the_point_that_was_asked_for():
    track = walk([(200, 180), (200, 60)], size=(20, 60))  # the centre is 30 above the foot
    above = {"start": (0.0, 0.25), "end": (1.0, 0.25)}
    assert counts([track], **above) == (0, 0)
    assert counts([track], **above, point="centre") != (0, 0)


def test_somebody_who_was_hidden_while_crossing_is_counted():
    track = walk([(100, 100), (300, 100)])
    hidden = (track.boxes[:, 0] > 150) & (track.boxes[:, 0] < 250)
    assert counts([Track(track.times[~hidden], track.boxes[~hidden])]) == (1, 0)


def test_a_track_that_begins_behind_the_line_did_not_cross_it():
    assert counts([walk([(230, 100), (300, 100)])]) == (0, 0)


def renumbered(*parts):
    """One track of some stretches `(track, from, until)` of others."""
    kept = [(track.times >= begin) & (track.times < end) for track, begin, end in parts]
    return Track(
        *(
            np.concatenate([getattr(track, name)[some] for (track, *_), some in zip(parts, kept, strict=True)])
            for name in ("times", "boxes")
        )
    )


def test_a_body_that_gets_its_old_number_back_behind_the_line_crossed_it_once():
    body = walk([(100, 100), (300, 100)])  # over the line at 1.0 s
    old = renumbered((body, 0.0, 0.5), (body, 1.5, 9.0))
    assert counts([old, renumbered((body, 0.5, 1.5))], keep=3.0) == (1, 0)


def test_a_body_that_gets_a_new_number_on_the_line_crossed_it():
    body = walk([(100, 100), (300, 100)])
    assert counts([renumbered((body, 0.0, 1.02)), renumbered((body, 1.02, 9.0))], keep=3.0) == (1, 0)
    assert counts([renumbered((body, 0.0, 0.5)), renumbered((body, 0.5, 9.0))], keep=3.0) == (1, 0)


def test_ids_are_not_mixed_up_when_rows_are_used_again():
    tracks = [walk([(100, 100), (180, 100)], start=4 * at) for at in range(10)]
    tracks += [walk([(220, 100), (300, 100)], start=4 * at + 2) for at in range(10)]
    assert counts(tracks) == (0, 0)


def test_a_crowd_of_200_is_counted():
    random = np.random.default_rng(3)
    tracks = [
        walk(
            [(100, y), (300, y)] if at % 4 else [(300, y), (100, y)],
            speed=random.uniform(80, 200),
            tremble=0.5,
            seed=at,
        )
        for at, y in enumerate(random.uniform(70, 199, 200))
    ]
    assert counts(tracks) == (150, 50)


def test_a_change_of_the_frame_size_in_mid_stream_changes_nothing():
    track = walk([(100, 100), (300, 100)])
    behaviour = Behaviour(zones(line=[{"name": "door", "from": (0.5, 0), "to": (0.5, 1)}]))
    for at, (time, box) in enumerate(zip(track.times, track.boxes, strict=True)):
        width, height = [(400, 200), (1600, 800), (400, 400)][at % 3]
        scaled = (box * np.tile([width / 400, height / 200], 2))[None]
        behaviour.update(np.array([1]), scaled.astype(np.float32), time=time, width=width, height=height)
    assert behaviour.summary()["lines"]["door"] == {"forward": 1, "backward": 0}


@pytest.fixture(scope="module")
def pets(data):
    return read_tracks(data(TRUTH))


def crossings_by_hand(track, x):
    """How often the feet pass an upright line for good: between stretches a tenth of the person away from it."""
    sides = np.sign(track.feet[:, 0] - x)[np.abs(track.feet[:, 0] - x) > track.height / 10]
    changes = np.diff(sides)
    return int((changes > 0).sum()), int((changes < 0).sum())


def test_the_true_boxes_of_a_clip_are_counted_and_its_mirror_image_and_backwards(pets):
    size = {"width": WIDTH, "height": HEIGHT}
    forward, backward = np.sum([crossings_by_hand(track, 240) for track in pets.values()], axis=0).tolist()
    assert forward > 10 < backward
    assert counts(pets, **size) == (forward, backward)
    end = max(track.times[-1] for track in pets.values())
    turn, shift = np.diag([-1, 1, -1, 1])[:, [2, 1, 0, 3]], np.array([WIDTH, 0, WIDTH, 0])
    mirrored = {n: Track(t.times, t.boxes @ turn + shift) for n, t in pets.items()}
    assert counts(mirrored, **size) == (backward, forward)
    reverse = {n: Track((end - t.times)[::-1], t.boxes[::-1]) for n, t in pets.items()}
    assert counts(reverse, **size) == (backward, forward)
