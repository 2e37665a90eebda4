import itertools

import numpy as np
import pytest

from mien.errors import BadInputError, UsageError
from mien.evaluation.speed import pictures
from mien.evaluation.speed.comparison import Comparison, interleave
from mien.evaluation.speed.looping import LoopedClip, there_and_back
from mien.evaluation.speed.machine import describe_machine
from mien.evaluation.speed.peers import OnnxDetector, OnnxEmbedder, OpenCvDetector
from mien.evaluation.speed.search import search
from mien.evaluation.speed.startup import startup
from mien.evaluation.speed.steady_faces import numbers_of, steady_faces
from mien.evaluation.speed.suite import NAMES, benchmark
from mien.evaluation.speed.watch import watch
from mien.face.detector import FaceDetector
from mien.face.embedder import FaceEmbedder
from mien.media.writer import VideoWriter
from mien.models.catalogue import Alignment


@pytest.fixture(scope="module")
def portrait(models):
    data = pytest.importorskip("skimage.data", reason="needs scikit-image")
    return np.ascontiguousarray(data.astronaut()[:300, 50:450])


@pytest.fixture(scope="module")
def clip(portrait, tmp_path_factory):
    path = tmp_path_factory.mktemp("speed") / "astronaut.mp4"
    with VideoWriter(path, frame_rate=25, width=400, height=300) as writer:
        for shift in range(6):
            writer.write(np.roll(portrait, 2 * shift, axis=1))
    return path


def test_contenders_take_turns_and_the_first_round_does_not_count():
    calls = []
    contenders = {name: lambda name=name: calls.append(name) for name in "AB"}
    assert list(interleave(contenders, 3)) == ["A", "B"]
    assert "".join(calls) == "ABABABAB"


def test_ratios_are_to_the_first():
    comparison = Comparison("detect", "a picture", 5, {"mien": 2.0, "peer": 5.0}, notes=("one is left out",))
    record = comparison.to_dict()
    assert record["ratios"] == {"mien": 1.0, "peer": 2.5}
    assert record["notes"] == ["one is left out"]
    assert "facts" not in record


def test_unknown_name_names_what_there_is():
    with pytest.raises(UsageError, match=r"'swim'.*decode, detect") as caught:
        benchmark(["detect", "swim"])
    assert caught.value.code == "benchmark_unknown"


@pytest.mark.parametrize(("count", "least"), [(1, 5), (2, 1), (2, 7), (5, 5), (5, 23)])
def test_loop_never_jumps_and_plays_every_picture(count, least):
    order = list(there_and_back(count, least))
    assert len(order) >= least
    assert set(order) == set(range(count))
    assert all(abs(after - before) == min(1, count - 1) for before, after in itertools.pairwise(order))


def test_looped_clip_can_be_played_again():
    images = [np.full((2, 2, 3), value, np.uint8) for value in range(4)]
    clip = LoopedClip(images, frame_rate=10, least=9)
    first, again = list(clip), list(clip)
    assert [frame.index for frame in first] == list(range(len(clip.order)))
    assert [int(frame.image[0, 0, 0]) for frame in first] == clip.order
    assert [frame.time for frame in first] == [frame.time for frame in again]
    assert first[9].time == pytest.approx(0.9)
    with pytest.raises(UsageError):
        LoopedClip([], frame_rate=10, least=9)


def test_steady_faces_are_those_in_most_frames():
    walker = [np.array([x, 10, x + 20, 30], np.float32) for x in range(0, 20, 2)]
    passer = np.array([100, 10, 120, 30], np.float32)
    frames = [np.stack([box, passer]) if 2 <= place < 5 else box[None] for place, box in enumerate(walker)]
    frames[6] = np.empty((0, 4), np.float32)
    (face,) = steady_faces(frames)
    assert sorted(face) == [0, 1, 2, 3, 4, 5, 7, 8, 9]
    assert all((face[place] == walker[place]).all() for place in face)

    order = [0, 1, 2, 1, 0]
    followed = [{7: walker[place], 8: passer} for place in order]
    assert numbers_of(face, order, followed) == {7: 5}
    followed[3:] = [{9: walker[place]} for place in order[3:]]
    assert numbers_of(face, order, followed) == {7: 3, 9: 2}
    assert numbers_of(face, order, [{}] * 5) == {}


def test_search_compares_equal_answers():
    found = search(faces=3000, dimension=32, rounds=1)
    assert [comparison.name for comparison in found] == ["search, 1 probe", "search, 8 probes", "search, 64 probes"]
    for comparison in found:
        assert comparison.facts == {"identical to brute force": True}
        assert len(comparison.milliseconds) == 3
        assert all(value > 0 for value in comparison.milliseconds.values())


def test_startup_measures_whole_processes():
    comparison = startup(rounds=1)
    assert set(comparison.milliseconds) == {"bare Python", "import mien", "mien --help"}
    assert min(comparison.milliseconds.values()) > 1


def test_machine_is_described():
    machine = describe_machine()
    assert machine["cores"] >= 1
    assert machine["cpu"]
    assert machine["versions"]["numpy"] == np.__version__
    assert set(machine) >= {"system", "python", "commit"}


def test_peers_do_the_same_work(portrait):
    faces = FaceDetector()(portrait)
    assert OpenCvDetector()(portrait) == len(faces) == 1
    (row,) = OnnxDetector()(portrait)
    assert row[:4] == pytest.approx(faces[0].box, abs=4)
    assert row[4:14].reshape(5, 2) == pytest.approx(faces[0].landmarks, abs=3)

    peer = OnnxEmbedder()
    (feature,) = peer([peer.crop(portrait, faces[0].landmarks)])
    ours = FaceEmbedder("mobilefacenet-foamliu", alignment=Alignment("arcface-112", flip_average=False))
    assert feature @ ours(portrait, faces)[0].vector > 0.999


@pytest.mark.parametrize("name", ["decode", "detect", "embed"])
def test_pictures_are_measured_beside_their_peers(clip, name):
    comparison = getattr(pictures, name)(clip, rounds=1)
    assert next(iter(comparison.milliseconds)) == "mien"
    assert len(comparison.milliseconds) == 3
    assert comparison.notes == ()


def test_picture_without_a_face_is_refused(models, tmp_path):
    path = tmp_path / "grey.mp4"
    with VideoWriter(path, frame_rate=25, width=160, height=120) as writer:
        writer.write(np.full((120, 160, 3), 128, np.uint8))
    with pytest.raises(BadInputError, match="grey") as caught:
        benchmark(["detect"], video=path)
    assert caught.value.code == "face_missing"


def test_watch_counts_frames_and_tracks(clip):
    comparison = watch(clip, frames=20)
    assert (comparison.facts["frames"], comparison.rounds) == (21, 3)
    assert set(comparison.facts["frames_per_second"]) == set(comparison.milliseconds)
    assert len(comparison.milliseconds) == 2
    assert comparison.facts["tracks"] == comparison.facts["faces_in_most_frames"] == 1
    assert comparison.facts["of_these_one_track"] == 1
    assert comparison.facts["track_numbers"] == [{"1": 21}]


def test_file_is_watched_once(clip):
    comparison = watch(clip)
    assert comparison.facts["frames"] == 6
    assert "faces_in_most_frames" not in comparison.facts


def test_all_names_can_be_measured():
    assert set(NAMES) == {"decode", "detect", "embed", "search", "watch", "startup"}
