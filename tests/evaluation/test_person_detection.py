from __future__ import annotations

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.person_detection import average_precision, evaluate
from mien.media.writer import VideoWriter
from mien.records import Person

FIRST, SECOND = np.array([[0.0, 0, 10, 20]]), np.array([[30.0, 0, 40, 20]])
NONE = np.empty((0, 4))


def frame(boxes, scores):
    return np.asarray(boxes, float).reshape(-1, 4), np.asarray(scores, float)


def truth(boxes, counted=None):
    boxes = np.asarray(boxes, float).reshape(-1, 4)
    return boxes, np.ones(len(boxes), bool) if counted is None else np.array(counted)


def test_perfect_is_one_and_nothing_is_zero():
    both = np.concatenate([FIRST, SECOND])
    assert average_precision([frame(both, [0.9, 0.2])], [truth(both)]) == 1
    assert average_precision([frame(NONE, [])], [truth(both)]) == 0
    assert average_precision([frame(both + 100, [0.9, 0.8])], [truth(both)]) == 0
    assert average_precision([frame(both, [0.9, 0.8])], [truth(NONE)]) is None


def test_a_false_alarm_costs_by_where_it_ranks():
    """Scores .9 (false), .8 (right), .7 (right), of two people: precision 1/2 then 2/3, enveloped to 2/3."""
    found = [frame(np.concatenate([SECOND + 100, FIRST]), [0.9, 0.8]), frame(SECOND, [0.7])]
    assert average_precision(found, [truth(FIRST), truth(SECOND)]) == pytest.approx(2 / 3)
    found = [frame(np.concatenate([SECOND + 100, FIRST]), [0.1, 0.8]), frame(SECOND, [0.7])]
    assert average_precision(found, [truth(FIRST), truth(SECOND)]) == 1


def test_a_second_claim_on_a_person_is_a_false_alarm():
    found = [frame(np.concatenate([FIRST, FIRST]), [0.9, 0.8]), frame(SECOND, [0.7])]
    assert average_precision(found, [truth(FIRST), truth(SECOND)]) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_a_claim_needs_half_an_overlap():
    for shift, expected in ((6.66, 1), (6.67, 0)):  # IoU 1/2 where a third of the height is left
        assert average_precision([frame(FIRST + np.array([0, shift, 0, shift]), [0.9])], [truth(FIRST)]) == expected


def test_boxes_that_do_not_count_excuse_what_is_found_there():
    both = np.concatenate([FIRST, SECOND])
    found = [frame(both, [0.9, 0.8])]
    assert average_precision([frame(both[::-1], [0.9, 0.8])], [truth(both, [True, False])]) == 1
    assert average_precision(found, [truth(both, [False, False])]) is None


class Oracle:
    """Says what the truth says, one frame long."""

    name = "oracle"

    def batch(self, images):
        return [[Person(np.float32([10, 10, 30, 50]), 0.9)] for _ in images]


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, 10, 64, 64) as writer:
        for _ in range(4):
            writer.write(np.zeros((64, 64, 3), np.uint8))
    return path


def test_frames_of_the_truth_count_from_one(clip, tmp_path):
    (tmp_path / "gt.txt").write_text("".join(f"{n},1,10,10,20,40,1,-1,-1,-1\n" for n in (1, 2, 3, 4)))
    figures = evaluate(Oracle(), clip, tmp_path / "gt.txt")
    assert (figures["ap50"], figures["frames"], figures["people"], figures["model"]) == (1.0, 4, 4, "oracle")
    (tmp_path / "gt.txt").write_text("1,1,10,10,20,40,1,-1,-1,-1\n")
    assert evaluate(Oracle(), clip, tmp_path / "gt.txt")["ap50"] == 1.0  # later frames rank equally, and come later


def test_the_truth_of_a_longer_video_is_refused(clip, tmp_path):
    (tmp_path / "gt.txt").write_text("5,1,10,10,20,40,1,-1,-1,-1\n")
    with pytest.raises(BadInputError, match="frame 5") as caught:
        evaluate(Oracle(), clip, tmp_path / "gt.txt")
    assert caught.value.code == "truth_mismatch"
