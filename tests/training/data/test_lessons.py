"""Views are the same each time; the teacher is asked once for each, and its answers outlive the process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from mien.errors import BadInputError
from mien.records import Image
from mien.training.data.input_format import InputFormat
from mien.training.data.lessons import Lessons, moved
from mien.training.data.teacher import Lesson, Teacher

FORMAT = InputFormat(height=32, width=32)
RANDOM = np.random.default_rng(0)


class Noise:
    """Pictures of random blobs."""

    def __init__(self, count: int, labelled: bool = False) -> None:
        self.labels = {"identity": np.arange(count) % 3} if labelled else {}
        self.forbidden = None
        random = np.random.default_rng(5)
        self.pictures = random.integers(0, 256, (count, 4, 4, 3), np.uint8).repeat(16, 1).repeat(16, 2)

    def __len__(self) -> int:
        return len(self.pictures)

    def name(self, index: int) -> str:
        return f"noise {index}"

    def picture(self, index: int) -> Image:
        return self.pictures[index]


class Counting:
    """Answers with the mean colour, and with the picture itself as a hint; counts how often it was asked."""

    name, hints, size, dimension = "counting", ("a",), (64, 64), 3

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, images: Image) -> Lesson:
        self.asked += len(images)
        return Lesson(images.mean((1, 2), dtype=np.float32) / 255, (images.transpose(0, 3, 1, 2).astype(np.float32),))


def _lessons(folder: Path, teacher: Counting, **changes) -> Lessons:
    arguments = {"source": Noise(5), "seed": 1, "views": 3, "mixing": 1.0, **changes}
    return Lessons(input_format=FORMAT, teacher=teacher, folder=str(folder), **arguments)


def test_samples_are_the_students_picture_and_the_teachers_answer(tmp_path):
    lessons = _lessons(tmp_path, Counting())
    assert len(lessons) == 15
    for index in range(15):
        sample = lessons.sample(index, RANDOM)
        assert sample["image"].shape == (32, 32, 3)
        seen = lessons.view(index)
        np.testing.assert_allclose(sample["embedding"], seen.mean((0, 1)) / 255, atol=1e-3)
        halved = seen.reshape(32, 2, 32, 2, 3).mean((1, 3)).transpose(2, 0, 1)
        np.testing.assert_allclose(sample["hint_0"], halved, atol=0.1)
    assert lessons.hint_widths == (3,)
    assert lessons.dimension == 3


def test_first_views_are_the_picture_and_its_mirror_image_later_ones_are_not(tmp_path):
    lessons = _lessons(tmp_path, Counting())
    plain, mirrored, mixed = (lessons.view(3 * 2 + view) for view in range(3))
    np.testing.assert_array_equal(plain, lessons.source.picture(2))
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])
    assert np.abs(mixed.astype(int) - plain).mean() > 5
    np.testing.assert_array_equal(mixed, lessons.view(3 * 2 + 2))
    other_seed = _lessons(tmp_path, Counting(), seed=2)
    assert (other_seed.view(3 * 2 + 2) != mixed).any()


def test_the_teacher_is_asked_once_even_across_runs(tmp_path):
    first, second = Counting(), Counting()
    for teacher in (first, second):
        lessons = _lessons(tmp_path, teacher)
        answers = [lessons.sample(index, RANDOM)["embedding"] for index in (4, 7, 4, 7)]
        np.testing.assert_array_equal(answers[0], answers[2])
    shapes = 1  # each start asks for view 0 to learn the shapes
    assert first.asked == shapes + 2
    assert second.asked == shapes


def test_other_pictures_teachers_or_views_have_other_answers(tmp_path):
    for changes in ({}, {"source": Noise(6)}, {"views": 2}, {"mixing": 0.5}, {"seed": 9}):
        _lessons(tmp_path, Counting(), **changes)
    other = Counting()
    other.name = "another"
    _lessons(tmp_path, other)
    assert len(list(tmp_path.iterdir())) == 6


def test_a_mirrored_answer_can_be_assumed(tmp_path):
    teacher = Counting()
    lessons = _lessons(tmp_path, teacher, views=2, mixing=0.0, assume_mirror=True)
    plain, mirrored = lessons.sample(6, RANDOM), lessons.sample(7, RANDOM)
    assert teacher.asked == 2
    np.testing.assert_array_equal(plain["embedding"], mirrored["embedding"])
    np.testing.assert_array_equal(plain["hint_0"], mirrored["hint_0"][..., ::-1])
    np.testing.assert_array_equal(plain["image"], mirrored["image"][:, ::-1])


def test_labels_go_with_the_views_and_forbid_mixing(tmp_path):
    lessons = _lessons(tmp_path, Counting(), source=Noise(5, labelled=True), mixing=0.0)
    assert lessons.labels["identity"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 1, 1, 1]
    assert lessons.sample(4, RANDOM)["identity"] == 1
    with pytest.raises(BadInputError, match="a mixed picture has no label") as error:
        _lessons(tmp_path, Counting(), source=Noise(5, labelled=True))
    assert error.value.code == "recipe_value"


def test_what_must_not_be_trained_on_is_passed_on(tmp_path):
    source = Noise(2)
    source.forbidden = "a benchmark"
    assert _lessons(tmp_path, Counting(), source=source).forbidden == "a benchmark"


def test_augmentation_changes_the_students_picture_only(tmp_path):
    lessons = _lessons(tmp_path, Counting(), augmentation=[lambda image, random: 255 - image])
    plain = _lessons(tmp_path, Counting()).sample(0, RANDOM)
    changed = lessons.sample(0, RANDOM)
    np.testing.assert_array_equal(changed["image"], 255 - plain["image"])
    np.testing.assert_array_equal(changed["embedding"], plain["embedding"])


def test_a_move_is_small():
    image = np.zeros((100, 100, 3), np.uint8)
    image[48:53, 48:53] = 255
    for seed in range(20):
        rows, columns = np.nonzero(moved(image, np.random.default_rng(seed))[..., 0] > 127)
        assert abs(rows.mean() - 50) < 4.5
        assert abs(columns.mean() - 50) < 4.5


@pytest.mark.usefixtures("models")
def test_the_real_teacher_answers_as_the_embedder_does():
    from mien.face.embedder import FaceEmbedder

    crops = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8).repeat(16, 1).repeat(16, 2)
    lesson = Teacher("face-reidentification-retail-0095", ["605", "652"])(crops)
    np.testing.assert_allclose(lesson.embeddings, FaceEmbedder().vectors(crops), atol=1e-4)
    assert [maps.shape for maps in lesson.maps] == [(3, 128, 16, 16), (3, 128, 8, 8)]


@pytest.mark.usefixtures("models")
def test_teachers_that_cannot_teach():
    with pytest.raises(BadInputError, match="no operation 'nowhere'") as unknown:
        Teacher("face-reidentification-retail-0095", ["nowhere"])
    assert unknown.value.code == "hint_unknown"
    with pytest.raises(BadInputError, match="face-detection, not for embedding") as wrong:
        Teacher("face_detection_yunet_2023mar")
    assert wrong.value.code == "model_wrong_task"
