"""Visits and visitors: on features made up for it, on Market-1501 pictures, and on the people of the PETS clip."""

import numpy as np
import pytest
from pets_boxes import TRUTH, read_tracks

from mien.errors import UsageError
from mien.media.image import read
from mien.media.video import open_video
from mien.person.embedder import PersonEmbedder
from mien.scene.visits.visits import Visits

PEOPLE = [{1, 19}, {2, 13}, {3, 11}, {4, 12}, {5, 9}, {6, 10}, {7}, {8, 14, 15, 18}, {16}, {17}]
"""Numbers of the clip's truth that are one person: who leaves and comes back has a new one. Told by looking at them."""


def unit(*values):
    vector = np.array(values, np.float32)
    return vector / np.linalg.norm(vector)


ADA, BOB = unit(1, 0, 0), unit(0, 1, 0)


def paired(names, others):
    """Of the pairs that `others` puts together how many `names` does too, and the other way round."""
    same, told = (np.equal.outer(each, each)[np.triu_indices(len(each), 1)] for each in map(np.array, (names, others)))
    return (same & told).sum() / told.sum(), (same & told).sum() / same.sum()


def test_a_visit_goes_on_over_a_pause_and_a_return_is_another_one():
    visits = Visits(threshold=0.5)
    spans = [(0, 10), (100, 110), (400, 410), (2000, 2010)]  # 290 seconds are a pause, 1590 are not
    assert [visits.add(ADA, began=began, ended=ended) for began, ended in spans] == [(1, 1), (1, 1), (1, 1), (1, 2)]
    summary = visits.summary()
    assert (summary["visits"], summary["visitors"], summary["returning"]) == (2, 1, 1)
    assert summary["mean_seconds"] == 20.0


def test_two_who_look_alike_and_are_there_together_are_two():
    visits = Visits(threshold=0.5)
    assert visits.add(ADA, began=0, ended=10).visitor == 1
    assert visits.add(ADA, began=5, ended=15).visitor == 2
    assert visits.add(ADA, began=9.8, ended=20).visitor == 1  # tracks of one person may overlap by a moment
    assert visits.summary()["visitors"] == 2


def test_sex_and_age_are_those_of_most_tracks():
    visits = Visits(threshold=0.5)
    for at, (sex, age) in enumerate([("female", 30), ("male", 36), ("female", 33)]):
        visits.add(ADA, began=at * 20, ended=at * 20 + 10, sex=sex, age=age)
    visits.add(BOB, began=0, ended=10, sex="male")
    visits.add(unit(0, 0, 1), began=0, ended=10, age=70)
    summary = visits.summary()
    assert summary["sex"] == {"male": 1, "female": 1, "unknown": 1}
    assert summary["age"] == {"0-17": 0, "18-34": 1, "35-54": 0, "55+": 1, "unknown": 1}


def test_staff_is_left_out_also_before_it_was_recognized():
    visits = Visits(threshold=0.5)
    visits.add(ADA, began=0, ended=10, sex="female")
    visits.add(ADA, began=1000, ended=1010, is_staff=True)
    visits.add(BOB, began=0, ended=10)
    summary = visits.summary()
    assert (summary["visits"], summary["visitors"], summary["staff"]) == (1, 1, 1)
    assert summary["sex"] == {"male": 0, "female": 0, "unknown": 1}


def test_memory_is_bounded_and_nobody_is_lost_from_the_totals():
    random = np.random.default_rng(0)
    visits = Visits(threshold=0.9, most=50)
    for at in range(300):
        visits.add(unit(*random.normal(size=64)), began=at * 10, ended=at * 10 + 5, is_staff=at % 10 == 0)
    assert len(visits._people) <= 50
    summary = visits.summary()
    assert (summary["visitors"], summary["staff"], summary["visits"]) == (270, 30, 270)
    assert summary["mean_seconds"] == 5.0
    assert sum(summary["sex"].values()) == sum(summary["age"].values()) == 270


def test_nobody_came():
    summary = Visits(threshold=0.5).summary()
    assert (summary["visits"], summary["mean_seconds"]) == (0, None)


@pytest.mark.parametrize("wrong", [{"threshold": 2}, {"threshold": 0.5, "most": 0}, {"threshold": float("nan")}])
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError) as caught:
        Visits(**wrong)
    assert caught.value.code == "visits_argument_invalid"


def test_people_of_several_cameras_are_counted(models, data):
    folder = data("market_dev")
    seen = {}
    for path in sorted(folder.rglob("*.jpg")):
        seen.setdefault(path.name[:7], []).append(path)  # a track is a person in a camera: `0002_c1`
    names, embedder = sorted(seen)[:40], PersonEmbedder("person-reidentification-retail-0277")
    features = [unit(*embedder.vectors([read(path) for path in seen[name][:3]]).mean(axis=0)) for name in names]
    visits, order = Visits(), np.random.default_rng(0).permutation(len(names))
    told = [visits.add(features[at], began=600.0 * step, ended=600.0 * step + 9)[0] for step, at in enumerate(order)]
    precision, recall = paired([names[at][:4] for at in order], told)
    assert precision > 0.85
    assert recall > 0.8
    people = len({name[:4] for name in names})
    assert abs(visits.summary()["visitors"] - people) <= 0.4 * people


def test_the_people_of_a_clip_are_counted(models, data):
    tracks = read_tracks(data(TRUTH))
    crops = {number: [] for number in tracks}
    with open_video(data("video/pets09_s2l1_480x360.mp4")) as video:
        for frame in video:
            for number, track in tracks.items():
                at = np.flatnonzero(np.isclose(track.times, frame.time))
                # Four moments of each track.
                if at.size and at[0] in np.linspace(0, len(track.times) - 1, 6).astype(int)[1:-1]:
                    x0, y0, x1, y1 = track.boxes[at[0]].round().clip(0, [480, 360, 480, 360]).astype(int)
                    crops[number].append(np.ascontiguousarray(frame.image[y0:y1, x0:x1]))
    embedder, visits = PersonEmbedder("person-reidentification-retail-0277"), Visits()
    order = sorted(tracks, key=lambda number: tracks[number].times[-1])
    told = []
    for number in order:
        feature = unit(*embedder.vectors(crops[number]).mean(axis=0))
        told.append(visits.add(feature, began=tracks[number].times[0], ended=tracks[number].times[-1])[0])
    truth = [next(at for at, person in enumerate(PEOPLE) if number in person) for number in order]
    precision, recall = paired(truth, told)
    assert abs(visits.summary()["visitors"] - len(PEOPLE)) <= 2
    assert precision >= 0.8
    assert recall >= 0.8
