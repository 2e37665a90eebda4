from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pytest

from mien.errors import UsageError
from mien.evaluation.motchallenge import read_truth
from mien.evaluation.person_detection import average_precision
from mien.geometry import iou_matrix
from mien.media.video import open_video
from mien.models.catalogue import default, model
from mien.person.decoding import decode_nanodet, decode_ssd, decode_yolox
from mien.person.detector import PersonDetector

DETECTORS = ("yolox-nano", "nanodet-m", "person-detection-retail-0013")


@pytest.fixture(scope="module")
def detectors(models):
    return {name: PersonDetector(name) for name in DETECTORS}


@pytest.fixture(scope="module")
def detector(detectors):
    return detectors["yolox-nano"]


@pytest.fixture(scope="module")
def street(data):
    """Twelve frames of the PETS clip, RGB, with their true boxes and which of them count."""
    truth = read_truth(data("video/pets09_s2l1_480x360.gt.txt"))
    with open_video(data("video/pets09_s2l1_480x360.mp4")) as video:
        frames = list(islice(video, 0, 276, 25))
    boxes = []
    for frame in frames:
        there = truth.frames == frame.index + 1
        boxes.append((truth.boxes[there], truth.evaluated[there]))
    return [frame.image for frame in frames], boxes


def arrays(people):
    return (
        np.array([person.box for person in people], np.float64).reshape(-1, 4),
        np.array([person.score for person in people]),
    )


def test_decode_yolox_follows_the_grid():
    grid = np.zeros((1, 64 + 16 + 4, 85), np.float32)
    # Row 1, column 2 of stride 16: the centre a quarter and a half stride into the cell; e strides wide, 1 high.
    grid[0, 64 + 1 * 4 + 2, :6] = [0.25, 0.5, 1, 0, 0.8, 0.5]
    grid[0, 70 + 5, 4:7] = [1, 0.1, 0.9]  # something else than a person
    (row,) = decode_yolox({"output": grid}, 64, 64, 0.3)
    half = np.e * 8
    np.testing.assert_allclose(row, [36 - half, 16, 36 + half, 32, 0.4], rtol=1e-5)


def test_decode_nanodet_takes_the_mean_of_each_sides_distribution():
    outputs = {}
    for stride in (8, 16, 32):
        cells = (64 // stride) ** 2
        outputs[f"cls_pred_stride_{stride}"] = np.zeros((1, cells, 80), np.float32)
        outputs[f"dis_pred_stride_{stride}"] = np.zeros((1, cells, 32), np.float32)
    outputs["cls_pred_stride_32"][0, 1, 0] = 0.7  # row 0, column 1
    sides = outputs["dis_pred_stride_32"][0, 1].reshape(4, 8)
    sides[0, 0] = sides[2, 2] = 50  # certainly no distance to the left, certainly two strides to the right
    (row,) = decode_nanodet(outputs, 64, 64, 0.3)
    np.testing.assert_allclose(row, [48, 16 - 3.5 * 32, 48 + 64, 16 + 3.5 * 32, 0.7], rtol=1e-5)


def test_decode_ssd_stops_at_the_end_mark_and_takes_people_only():
    rows = np.array(
        [
            [0, 1, 0.9, 0.25, 0.5, 0.5, 1.0],
            [0, 2, 0.9, 0, 0, 1, 1],
            [0, 1, 0.1, 0, 0, 1, 1],
            [-1, 0, 0, 0, 0, 0, 0],
            [0, 1, 0.8, 0, 0, 1, 1],
        ],
        np.float32,
    )
    found = decode_ssd({"detection_out": rows.reshape(1, 1, -1, 7)}, 100, 200, 0.5)
    np.testing.assert_allclose(found, [[50, 50, 100, 100, 0.9]], rtol=1e-6)


@pytest.mark.parametrize("name", DETECTORS)
def test_finds_the_people_of_the_street(models, street, name):
    """The whole clip is measured by `mien evaluate detection --video`; this guards against regressions."""
    images, boxes = street
    found = [arrays(people) for people in PersonDetector(name, score=0.02).batch(images)]
    assert average_precision(found, boxes) > 0.8


def test_boxes_are_best_first_and_do_not_repeat_one_person(detector, street):
    for people in detector.batch(street[0]):
        boxes, scores = arrays(people)
        assert (np.diff(scores) <= 0).all()
        assert (scores >= detector.score).all()
        assert (iou_matrix(boxes, boxes) - np.eye(len(boxes))).max() <= 0.45


def test_a_low_score_adds_weak_boxes_only(models, street, detector):
    image = street[0][0]
    strong, all_of_them = detector(image), PersonDetector(score=0.02)(image)
    assert len(all_of_them) > len(strong) > 2
    for one, other in zip(strong, all_of_them, strict=False):
        np.testing.assert_array_equal(one.box, other.box)


def test_batch_equals_single_pictures_of_mixed_sizes(detector, street):
    whole = street[0][0]
    images = [whole, np.ascontiguousarray(whole[60:300, 100:460]), np.zeros((7, 9, 3), np.uint8), whole]
    together = detector.batch(images)
    assert len(together[0]) > 3
    assert together[2] == []
    for image, people in zip(images, together, strict=True):
        for one, other in zip(people, detector(image), strict=True):
            np.testing.assert_allclose(one.box, other.box, atol=0.01)


def test_boxes_keep_to_the_pictures_pixels_when_it_grows(detector, street):
    image = street[0][0]
    people, larger = detector(image), detector(np.ascontiguousarray(image.repeat(2, 0).repeat(2, 1)))
    overlap = iou_matrix(arrays(people)[0] * 2, arrays(larger)[0])
    assert overlap[0].max() > 0.8


def test_same_answers_from_many_threads(detector, street):
    images = street[0][:4] * 3
    expected = [[person.score for person in detector(image)] for image in images]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda image: [person.score for person in detector(image)], images))
    assert found == expected


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (33, 31), (2000, 20)])
def test_odd_shapes_hold_nobody(detectors, name, shape):
    assert detectors[name](np.full((*shape, 3), 128, np.uint8)) == []


def test_no_pictures_no_people(detector):
    assert detector.batch([]) == []


def test_a_model_for_something_else_is_refused():
    with pytest.raises(UsageError, match="face-detection") as caught:
        PersonDetector("face_detection_yunet_2023mar")
    assert caught.value.code == "model_wrong_task"


def test_every_person_detector_of_the_catalogue_can_be_read():
    assert {model(name).task for name in DETECTORS} == {"person-detection"}
    assert default("person-detection").name == "yolox-nano"
