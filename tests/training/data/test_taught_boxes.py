"""Labels that teachers give: faces' landmarks and people's boxes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from mien.errors import BadInputError
from mien.training.data.pictures import PictureFiles
from mien.training.data.taught_faces import taught_faces
from mien.training.data.taught_people import agreed, taught_people

Data = Callable[[str], Path]


def some_faces(data: Data, count: int) -> PictureFiles:
    folder = data("wider_dev")
    truth = json.loads((folder / "ground_truth.json").read_text())
    names = [name for name, entry in truth.items() if 1 <= len(entry["easy"]) <= 4][:count]
    boxes = np.empty(count, object)
    for number, name in enumerate(names):
        found = np.array(truth[name]["boxes_xywh"], np.float32).reshape(-1, 4)
        boxes[number] = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:]], 1)
    return PictureFiles(folder / "images", names, {"boxes": boxes})


@pytest.mark.usefixtures("models")
def test_landmarks_lie_in_the_boxes_and_are_kept_on_disk(data: Data, tmp_path: Path) -> None:
    source = some_faces(data, 3)
    faces = taught_faces(source, str(tmp_path))
    known = 0
    for index in range(3):
        objects = faces.objects(index)
        np.testing.assert_array_equal(objects.boxes, source.labels["boxes"][index])
        np.testing.assert_array_equal(objects.ignored, objects.boxes[:, 3] - objects.boxes[:, 1] < 10)
        for box, marks in zip(objects.boxes, objects.landmarks, strict=True):
            if np.isfinite(marks).all():
                known += 1
                size = box[2:] - box[:2]
                assert (marks > box[:2] - 0.2 * size).all()
                assert (marks < box[2:] + 0.2 * size).all()
    assert known >= 3
    (file,) = tmp_path.glob("boxes-*.npz")
    written = file.stat().st_mtime_ns
    again = taught_faces(source, str(tmp_path))
    np.testing.assert_array_equal(again.objects(1).landmarks, faces.objects(1).landmarks)
    assert file.stat().st_mtime_ns == written
    taught_faces(source, str(tmp_path), smallest=20.0)
    assert len(list(tmp_path.glob("boxes-*.npz"))) == 2


def test_faces_without_boxes_are_refused(data: Data, tmp_path: Path) -> None:
    source = some_faces(data, 1)
    source.labels.pop("boxes")
    with pytest.raises(BadInputError) as raised:
        taught_faces(source, str(tmp_path))
    assert raised.value.code == "data_unlabelled"


@pytest.mark.usefixtures("models")
def test_people_are_where_the_faces_are_or_ignored_there(data: Data, tmp_path: Path) -> None:
    source = some_faces(data, 3)
    people = taught_people(source, str(tmp_path))
    found = 0
    for index in range(3):
        objects = people.objects(index)
        assert objects.landmarks.shape == (len(objects.boxes), 0, 2)
        found += int((~objects.ignored).sum())
        for face in source.labels["boxes"][index]:
            x, y = (face[:2] + face[2:]) / 2
            inside = (
                (objects.boxes[:, 0] <= x) & (x <= objects.boxes[:, 2])
                & (objects.boxes[:, 1] <= y) & (y <= objects.boxes[:, 3])
            )  # fmt: skip
            assert inside.any()
    assert found >= 2


def rows(*values: tuple[float, float, float, float, float]) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 5)


def test_two_teachers_make_a_person_and_one_that_is_not_sure_makes_a_doubt() -> None:
    boxes, ignored = agreed(
        [
            rows((0, 0, 10, 30, 0.6), (50, 0, 60, 30, 0.4), (90, 0, 99, 30, 0.9)),
            rows((1, 0, 11, 30, 0.4)),
            rows(),
        ]
    )
    order = boxes[:, 0].argsort()
    np.testing.assert_allclose(boxes[order[0]], [0.4, 0, 10.4, 30], rtol=1e-5)
    assert ignored[order].tolist() == [False, True, False]


def test_two_people_side_by_side_stay_two() -> None:
    couple = rows((0, 0, 10, 30, 0.8), (4, 0, 14, 30, 0.7))
    boxes, ignored = agreed([couple, couple + np.float32([1, 0, 1, 0, 0])])
    assert len(boxes) == 2
    assert not ignored.any()


def test_nobody_found_is_nobody_there() -> None:
    boxes, ignored = agreed([rows(), rows()])
    assert boxes.shape == (0, 4)
    assert ignored.shape == (0,)
