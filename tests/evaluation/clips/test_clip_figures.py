import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.clips.composition import Actor
from mien.evaluation.clips.figures import Sighting, clip_figures
from mien.evaluation.clips.runner import cast, evaluate_clips
from mien.media.image import write
from mien.records import Frame

LEFT, RIGHT = np.float32([10, 10, 60, 70]), np.float32([200, 10, 250, 70])
ADA, BO = Actor("Ada", [], True), Actor("Bo", [], False)


def steady(actors, boxes, frames=10):
    return actors, {frame: dict(enumerate(boxes)) for frame in range(frames)}


def sightings(track, box, names, extractions=1):
    return [Sighting(frame, track, box, name, extractions) for frame, name in enumerate(names)]


def test_a_perfect_watcher():
    actors, truth = steady([ADA, BO], [LEFT, RIGHT])
    seen = sightings(1, LEFT + 4, [None] * 2 + ["Ada"] * 8, 2) + sightings(2, RIGHT - 3, [None] * 10, 1)
    figures = clip_figures(actors, truth, seen)
    assert (figures.recall, figures.misnamed_rate, figures.false_recognition_rate) == (1.0, 0.0, 0.0)
    assert (figures.enrolled_stays, figures.stranger_stays, figures.unseen) == (1, 1, 0)
    assert figures.frames_to_name == 2
    assert (figures.extractions_per_track, figures.most_extractions) == (1.5, 2)
    assert (figures.tracks_per_stay, figures.empty_tracks) == (1.0, 0)


def test_wrong_names_are_counted_on_both_sides():
    actors, truth = steady([ADA, BO, Actor("Cy", [], True)], [LEFT, RIGHT, RIGHT + 200])
    seen = sightings(1, LEFT, ["Cy"] * 5 + ["Ada"] * 5) + sightings(2, RIGHT, ["Ada"] * 10)
    figures = clip_figures(actors, truth, seen)
    assert figures.recognized == 1
    assert figures.misnamed == 1
    assert figures.recall == figures.misnamed_rate == 0.5
    assert figures.false_recognitions == 1
    assert figures.false_recognition_rate == 1.0
    assert figures.unseen == 1


def test_two_frames_with_a_name_say_nothing():
    actors, truth = steady([ADA, BO], [LEFT, RIGHT])
    seen = sightings(1, LEFT, ["Ada"] * 2 + [None] * 8) + sightings(2, RIGHT, ["Ada"] * 2 + [None] * 8)
    figures = clip_figures(actors, truth, seen)
    assert (figures.recognized, figures.false_recognitions) == (0, 0)
    assert figures.frames_to_name is None


def test_a_track_that_jumps_to_a_stranger_takes_the_blame():
    actors, truth = [ADA, BO], {frame: {0: LEFT} if frame < 5 else {1: LEFT} for frame in range(10)}
    figures = clip_figures(actors, truth, sightings(1, LEFT, ["Ada"] * 10))
    assert (figures.recognized, figures.false_recognitions) == (1, 1)


def test_tracks_elsewhere_are_empty_and_broken_tracks_count():
    actors, truth = steady([ADA], [LEFT])
    seen = sightings(1, LEFT, [None] * 4) + [Sighting(frame, 2, LEFT, None) for frame in range(4, 10)]
    seen += sightings(3, RIGHT, ["Ada"] * 10) + sightings(4, RIGHT + 300, [None] * 10)
    figures = clip_figures(actors, truth, seen)
    assert figures.tracks_per_stay == 2
    assert (figures.empty_tracks, figures.empty_recognitions) == (2, 1)
    assert figures.recall == 0


def test_faces_close_together_are_met_by_the_nearest_box():
    actors, truth = steady([ADA, BO], [LEFT, LEFT + 15])
    seen = sightings(2, LEFT + 14, [None] * 10) + sightings(1, LEFT + 1, ["Ada"] * 10)
    figures = clip_figures(actors, truth, seen)
    assert (figures.recall, figures.false_recognition_rate) == (1.0, 0.0)


def test_nothing_seen_and_nothing_there():
    actors, truth = steady([ADA, BO], [LEFT, RIGHT])
    figures = clip_figures(actors, truth, [])
    assert (figures.recall, figures.false_recognition_rate, figures.unseen) == (0.0, 0.0, 2)
    empty = clip_figures([], {}, [])
    assert empty.recall is empty.false_recognition_rate is empty.tracks_per_stay is None
    assert empty.to_dict()["enrolled_stays"] == 0


@pytest.fixture
def pictures(tmp_path):
    for subject, count in {"Ada": 6, "Bo": 1, "Cy": 2, "Di": 1}.items():
        (tmp_path / subject).mkdir()
        for number in range(count):
            write(tmp_path / subject / f"{subject}_{number + 1:04}.png", np.full((250, 250, 3), 180, np.uint8))
    (tmp_path / "nobody").mkdir()
    return tmp_path


def test_the_cast(pictures):
    gallery, enrolled, strangers = cast(pictures)
    assert {name: path.name for name, path in gallery.items()} == {"Ada": "Ada_0001.png", "Cy": "Cy_0001.png"}
    shown = [(actor.name, [path.stem[-1] for path in actor.pictures]) for actor in enrolled]
    assert shown == [("Ada", ["2", "3", "4"]), ("Ada", ["5", "6"]), ("Cy", ["2"])]
    assert [(actor.name, actor.enrolled) for actor in strangers] == [("Bo", False), ("Di", False)]


def test_the_runner_gives_every_frame_and_compares(pictures):
    frames_seen, counts = [], []

    def watch(frames, gallery):
        assert set(gallery) == {"Ada", "Cy"}
        for frame in frames:
            assert isinstance(frame, Frame)
            frames_seen.append(frame.index)
            yield Sighting(frame.index, 1, np.float32([0, 0, 5, 5]), None)

    figures = evaluate_clips(pictures, watch, most=2, seconds=0.8, progress=counts.append)
    assert frames_seen == list(range(len(frames_seen)))
    assert counts[-1] == len(frames_seen)
    assert (figures.enrolled_stays, figures.stranger_stays, figures.unseen) == (2, 2, 4)
    assert figures.recall == 0


def test_folders_that_will_not_do(tmp_path):
    with pytest.raises(BadInputError) as caught:
        cast(tmp_path / "missing")
    assert caught.value.code == "file_missing"
    with pytest.raises(BadInputError, match="no sub-folder with two pictures") as caught:
        cast(tmp_path)
    assert caught.value.code == "no_subjects"
