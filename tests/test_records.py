import dataclasses
import json

import numpy as np
import pytest

from mien.records import Eyes, Face, HeadPose, Match, Template, rect

LANDMARKS = np.array([[10, 10], [20, 10], [15, 15], [11, 20], [19, 20]], np.float32)


def face(**changes):
    return Face(
        **{"box": np.array([5.123, 4, 25, 30.456], np.float32), "score": 0.91239, "landmarks": LANDMARKS} | changes
    )


def test_what_was_not_asked_for_is_absent():
    assert list(face().to_dict()) == ["rect", "score", "landmarks", "orient"]


def test_everything_that_was_asked_for_is_json():
    full = face(
        pose=HeadPose(1.26, -2, 3),
        age=41.27,
        gender="female",
        quality=0.5,
        eyes=Eyes(0.25, 1),
        mesh=np.zeros((468, 3), np.float32),
        track_id=7,
        template=Template(np.ones(4, np.float32) / 2, bytes(16)),
    )
    record = json.loads(json.dumps(full.to_dict(), allow_nan=False))
    assert record["rect"] == {"left": 5.12, "top": 4.0, "right": 25.0, "bottom": 30.46}
    assert record["face_3d"] == {"yaw": 1.3, "pitch": -2, "roll": 3}
    assert (record["score"], record["age"], record["gender"], record["track_id"]) == (0.9124, 41.3, "female", 7)
    assert record["eyes"] == {"left_open": 0.25, "right_open": 1}
    assert len(record["mesh"]) == 468
    assert "template" not in record
    assert full.embedding is full.template.vector
    assert face().embedding is None


@pytest.mark.parametrize(("turns", "orient"), [(0, 0), (1, 90), (2, 180), (3, 270)])
def test_orient_is_clockwise(turns, orient):
    clockwise = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), turns)  # x right, y down
    assert face(landmarks=(LANDMARKS @ clockwise.T).astype(np.float32)).orient == orient


def test_records_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        face().score = 1.0


def test_match_and_rect_are_json():
    assert Match("Zoë", 0.12345678, "ab").to_dict() == {"subject": "Zoë", "similarity": 0.123457, "face_id": "ab"}
    assert json.dumps(rect(np.array([0.125, 1, 2, 3], np.float32))).startswith('{"left": 0.12')
