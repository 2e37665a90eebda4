from __future__ import annotations

import json

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.attributes import UNKNOWN, figures, instance_figures, mean_accuracy, read_truth
from mien.person.attributes import ATTRIBUTES
from mien.records import Attributes


def test_mean_accuracy_weighs_both_answers_alike():
    """Nine of ten lack the attribute; always saying no is half right."""
    truth = np.zeros((10, 1), int)
    truth[0] = 1
    assert mean_accuracy(np.zeros((10, 1), bool), truth) == [0.5]
    assert mean_accuracy(truth == 1, truth) == [1.0]
    assert mean_accuracy(truth == 0, truth) == [0.0]


def test_unknown_labels_count_nowhere():
    truth = np.array([[1], [0], [UNKNOWN], [UNKNOWN]])
    for guess in (False, True):
        assert mean_accuracy(np.array([[True], [False], [guess], [guess]]), truth) == [1.0]
    assert np.isnan(mean_accuracy(np.ones((2, 1), bool), np.array([[1], [UNKNOWN]]))).all()


def test_instance_figures_of_a_small_table():
    """Person 1: said {a, b}, has {a, c}; person 2: said {b}, has {b}: worked by hand."""
    said = np.array([[1, 1, 0], [0, 1, 0]], bool)
    has = np.array([[1, 0, 1], [0, 1, 0]])
    expected = {"accuracy": (1 / 3 + 1) / 2, "precision": 0.75, "recall": 0.75, "f1": 0.75}
    assert instance_figures(said, has) == pytest.approx(expected)


def test_f1_is_of_the_mean_precision_and_recall():
    said = np.array([[1, 1], [1, 1]], bool)
    has = np.array([[1, 0], [1, 1]])
    assert instance_figures(said, has)["f1"] == pytest.approx(2 * 0.75 * 1 / 1.75)


def test_people_without_attributes():
    nothing = np.zeros((1, 3), bool)
    assert instance_figures(nothing, np.zeros((1, 3), int))["accuracy"] == 1
    assert instance_figures(np.zeros((0, 3), bool), np.zeros((0, 3), int))["f1"] == 0


def person(male, upper):
    return Attributes(dict.fromkeys(ATTRIBUTES, 0.1) | {"male": male}, upper)


def test_figures_of_people():
    found = [person(0.9, "red"), person(0.2, "blue"), person(0.8, "red"), person(0.1, "grey")]
    truth = [
        {"male": 1, "upper_colour": "red"},
        {"male": False, "upper_colour": "red"},
        {"male": 0, "upper_colour": "green"},
        {"male": None},
    ]
    record = figures(found, truth)
    assert record["attributes"]["male"] == 0.75
    assert record["attributes"]["hat"] is None
    assert record["ma"] == 0.75
    assert record["upper_colour"] == {"accuracy": 0.3333, "recall": 0.25, "people": 3}
    assert record["lower_colour"] is None
    assert record["people"] == 4
    json.dumps(record, allow_nan=False)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no json", "not JSON"),
        ("[]", "not an object"),
        ("{}", "not an object"),
        ('{"a.png": 1}', "no object of labels"),
        ('{"a.png": {"male": 2}}', "'male': 2"),
        ('{"a.png": {"male": [1]}}', "'male': \\[1\\]"),
        ('{"a.png": {"beard": 1}}', "'beard'"),
        ('{"a.png": {"upper_colour": "beige"}}', "'beige'"),
    ],
)
def test_a_bad_truth_file_says_what_is_wrong(tmp_path, content, says):
    (tmp_path / "truth.json").write_text(content)
    with pytest.raises(BadInputError, match=says) as caught:
        read_truth(tmp_path / "truth.json")
    assert caught.value.code == "truth_invalid"


def test_a_missing_truth_file(tmp_path):
    with pytest.raises(BadInputError) as caught:
        read_truth(tmp_path / "truth.json")
    assert caught.value.code == "truth_missing"
