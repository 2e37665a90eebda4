"""The WIDER FACE evaluation against figures of a widely used port of the official code.

The figures of `PORT` were made with `widerface_evaluate/evaluation.py` of github.com/biubug6/Pytorch_Retinaface (its
Cython overlaps compiled, NumPy 1.26) on the detections of `noisy_detections(truth, seed=7)`.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.detection import LEVELS, Truth, average_precision, evaluate, read_truth

PORT = {"easy": 0.3123570437076563, "medium": 0.4737505856384638, "hard": 0.6216386910993089}


def noisy_detections(truth: dict, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Most faces, moved; some twice; some where there is none. `xyxy` boxes and scores, best first."""
    random = np.random.default_rng(seed)
    detections = []
    for entry in truth.values():
        faces = np.array(entry["boxes_xywh"], float).reshape(-1, 4)
        near = faces[random.random(len(faces)) < 0.8].copy()
        near += random.normal(0, 0.12, near.shape) * near[:, [2, 3, 2, 3]]
        twin = faces[random.random(len(faces)) < 0.1]
        twin = twin + random.normal(0, 0.1, twin.shape) * twin[:, [2, 3, 2, 3]]
        count, width, height = int(random.integers(0, 6)), float(entry["width"]), float(entry["height"])
        noise = np.column_stack(
            [
                random.random(count) * width,
                random.random(count) * height,
                10 + random.random(count) * 80,
                10 + random.random(count) * 80,
            ]
        )
        boxes = np.concatenate([near, twin, noise])
        scores = np.concatenate([random.beta(5, 2, len(near)), random.beta(3, 2, len(twin)), random.beta(2, 4, count)])
        order = np.argsort(-scores)
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)
        detections.append((boxes[order], (scores * 0.9 + 0.05)[order]))
    return detections


def one_picture(boxes, counted) -> Truth:
    mask = np.array(counted, bool)
    return Truth(("a",), (np.array(boxes, float).reshape(-1, 4),), dict.fromkeys(LEVELS, (mask,)))


def test_equals_the_port_of_the_official_code(data):
    file = data("wider_dev/ground_truth.json")
    detections = noisy_detections(json.loads(file.read_text()), seed=7)
    assert average_precision(detections, read_truth(file)) == pytest.approx(PORT, abs=1e-12)


def test_order_of_detections_does_not_matter(data):
    file = data("wider_dev/ground_truth.json")
    detections = noisy_detections(json.loads(file.read_text()), seed=7)
    shuffled = [(boxes[::-1], scores[::-1]) for boxes, scores in detections]
    assert average_precision(shuffled, read_truth(file)) == pytest.approx(PORT, abs=1e-12)


def test_the_truth_itself_is_perfect():
    truth = one_picture([[0, 0, 10, 10], [50, 50, 90, 90]], [True, True])
    found = (truth.boxes[0], np.array([0.9, 0.8]))
    assert average_precision([found], truth) == {"easy": 1.0, "medium": 1.0, "hard": 1.0}


def test_second_box_on_a_face_is_a_false_alarm_but_not_on_an_ignored_one():
    boxes = [[0, 0, 10, 10], [50, 50, 90, 90]]
    found = np.array([boxes[0], boxes[0], boxes[1]], float), np.array([0.9, 0.8, 0.7])
    assert average_precision([found], one_picture(boxes, [True, True]))["hard"] == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision([found], one_picture(boxes, [False, True]))["hard"] == pytest.approx(1.0)


def test_overlap_includes_the_last_pixel():
    # Moved by 3.5 pixels: 7.5 of 14.5 columns with the +1 of the official code, 6.5 of 13.5 without.
    truth = one_picture([[0, 0, 10, 10]], [True])
    assert average_precision([(np.array([[3.5, 0, 13.5, 10]]), np.ones(1))], truth)["easy"] == 1.0
    assert average_precision([(np.array([[3.8, 0, 13.8, 10]]), np.ones(1))], truth)["easy"] == 0.0


def test_nothing_found_and_nothing_to_find():
    empty = (np.zeros((0, 4)), np.zeros(0))
    assert average_precision([empty], one_picture([[0, 0, 9, 9]], [True]))["easy"] == 0.0
    assert average_precision([empty], one_picture([[0, 0, 9, 9]], [False]))["easy"] is None


@pytest.mark.parametrize(
    "content", ["", "[1]", "7", '{"a.jpg": {}}', '{"a.jpg": {"boxes_xywh": [[1, 2]], "easy": [], "hard": []}}']
)
def test_bad_truth_is_refused_by_name(tmp_path, content):
    file = tmp_path / "truth.json"
    file.write_text(content)
    with pytest.raises(BadInputError, match=r"truth\.json") as caught:
        read_truth(file)
    assert caught.value.code == "truth_invalid"


def test_index_beyond_the_boxes_is_refused(tmp_path):
    file = tmp_path / "truth.json"
    entry = {"boxes_xywh": [[0, 0, 5, 5]], "easy": [1], "medium": [0], "hard": [0]}
    file.write_text(json.dumps({"a.jpg": entry}))
    with pytest.raises(BadInputError, match=r"a\.jpg"):
        read_truth(file)


def test_missing_truth_and_missing_pictures(tmp_path):
    with pytest.raises(BadInputError) as caught:
        read_truth(tmp_path / "none.json")
    assert caught.value.code == "truth_missing"
    file = tmp_path / "truth.json"
    file.write_text(json.dumps({"a.jpg": {"boxes_xywh": [], "easy": [], "medium": [], "hard": []}}))
    with pytest.raises(BadInputError, match=r"a\.jpg") as caught:
        evaluate(None, tmp_path, file)
    assert caught.value.code == "picture_missing"


def test_runner_measures_the_real_detector(data, models, tmp_path):
    from mien.face.detector import FaceDetector

    folder = data("wider_dev")
    whole = json.loads((folder / "ground_truth.json").read_text())
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(dict(list(whole.items())[:12])))
    seen = []
    report = evaluate(
        FaceDetector(long_side=640), folder / "images", truth, progress=lambda done, total: seen.append((done, total))
    )
    assert set(report) == {"ap", "images", "faces", "milliseconds_per_image"}
    assert report["images"] == 12
    assert seen[-1] == (12, 12)
    assert report["ap"]["medium"] > 0.6
