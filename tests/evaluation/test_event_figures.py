"""Precision, recall and false alarms of events, and counting errors, on files made up for it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from mien.errors import BadInputError, UsageError
from mien.evaluation.counting import counting_error
from mien.evaluation.events import agreement, evaluate

SECONDS = st.lists(st.floats(0, 20), max_size=12)


def crossed(time, line="door", direction="forward"):
    return {"event": "crossed", "time": time, "line": line, "direction": direction}


@pytest.fixture
def files(tmp_path):
    """`files(truth, result)`: their paths."""

    def write(truth, result):
        paths = tmp_path / "truth.jsonl", tmp_path / "result.jsonl"
        for path, records in zip(paths, (truth, result), strict=True):
            path.write_text("".join(json.dumps(record) + "\n" for record in records))
        return paths

    return write


@given(SECONDS, SECONDS, st.floats(0, 5))
def test_no_pairing_finds_more(truths, results, tolerance):
    found = agreement(np.array(truths), np.array(results), tolerance)
    assert (found.right + found.missed, found.right + found.false) == (len(truths), len(results))
    # The greedy test computes truth +- tolerance, which may round the other way at its very edge.
    loose = np.abs(np.subtract.outer(truths, results)) <= tolerance + 1e-9
    strict = np.abs(np.subtract.outer(truths, results)) <= tolerance - 1e-9
    most = loose[linear_sum_assignment(loose, maximize=True)].sum() if loose.size else 0
    least = strict[linear_sum_assignment(strict, maximize=True)].sum() if strict.size else 0
    assert least <= found.right <= most


def test_figures_by_kind_and_together(files):
    truth = [{"truth": {"seconds": 1800}}, crossed(1), crossed(10), crossed(20, direction="backward")]
    truth += [{"event": "fall", "time": 30.0}]
    result = [crossed(1.5), crossed(14), crossed(20, direction="backward"), {"event": "appeared", "time": 0}]
    figures = evaluate(*files(truth, result), tolerance=1.0)
    forward = figures["events"]["crossed door forward"]
    assert (forward["precision"], forward["recall"], forward["truths"], forward["results"]) == (0.5, 0.5, 2, 2)
    assert (forward["false_alarms_per_hour"], forward["delay"]) == (2.0, 0.5)
    assert figures["events"]["fall"]["recall"] == 0.0
    assert figures["events"]["fall"]["precision"] is None
    assert "appeared" not in figures["events"]  # the truth says nothing about it
    everything = figures["events"]["all"]
    assert (everything["precision"], everything["recall"]) == (0.6667, 0.5)
    assert everything["delay"] == 0.25
    assert figures["lines"]["door"]["error"] == 0


def test_a_kind_of_which_there_is_truly_none_counts_where_the_truth_names_it(files):
    truth = [{"truth": {"events": ["fall"], "seconds": 7200}}]
    figures = evaluate(*files(truth, [{"event": "fall", "time": 5.0}, {"event": "running", "time": 6.0}]))
    assert list(figures["events"]) == ["fall", "all"]
    assert figures["events"]["fall"] == {
        "precision": 0.0, "recall": None, "false_alarms_per_hour": 0.5, "truths": 0, "results": 1, "delay": None,
    }  # fmt: skip


def test_an_episode_counts_once_at_its_start(files):
    truth = [{"event": "loitering", "time": 10.0, "zone": "bar"}]
    episode = {"event": "loitering", "zone": "bar", "rule": "mine", "since": 10.5}
    result = [{**episode, "time": 70.5, "phase": "start"}, {**episode, "time": 90, "phase": "end", "lasted": 79.5}]
    row = evaluate(*files(truth, result))["events"]["loitering bar"]
    assert (row["precision"], row["recall"], row["results"]) == (1.0, 1.0, 1)


def test_a_truth_without_places_is_compared_without_them(files):
    figures = evaluate(*files([{"event": "crossed", "time": 1.0}], [crossed(1.0)]))
    assert figures["events"]["crossed"]["recall"] == 1.0


@pytest.mark.parametrize(
    ("truth", "code"),
    [
        ([], "truth_empty"),
        ([{"truth": {"seconds": 5}}], "truth_empty"),
        ([{"truth": 3}], "event_file_invalid"),
        ([{"truth": {"seconds": "long"}}], "event_file_invalid"),
        ([{"nothing": 1}], "event_file_invalid"),
    ],
)
def test_a_truth_that_is_none_is_refused(files, truth, code):
    with pytest.raises(BadInputError) as caught:
        evaluate(*files(truth, [crossed(1)]))
    assert caught.value.code == code


def test_a_tolerance_that_is_none_is_refused(files):
    with pytest.raises(UsageError):
        evaluate(*files([crossed(1)], []), tolerance=-1)


def test_counting_errors_do_not_cancel():
    truth = [crossed(at) for at in (1, 2, 70, 71)] + [crossed(130, direction="backward")]
    late = [crossed(at) for at in (1, 2, 70, 125)] + [crossed(130, direction="backward")]
    figures = counting_error(truth, late, 180)["door"]
    assert (figures["error"], figures["relative_error"]) == (0, 0.0)
    assert figures["mae"] == pytest.approx(2 / 6, abs=1e-4)
    turned = counting_error(truth, [crossed(1, direction="backward")] * 5, 180)["door"]
    assert (turned["error"], turned["relative_error"]) == (0, 1.6)


def test_lines_that_only_one_side_knows():
    figures = counting_error([crossed(1, "a")], [crossed(1, "b")], 60)
    assert (figures["a"]["error"], figures["a"]["relative_error"]) == (-1, 1.0)
    assert (figures["b"]["error"], figures["b"]["relative_error"]) == (1, None)
