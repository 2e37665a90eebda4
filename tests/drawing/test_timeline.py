import numpy as np
import pytest

from mien.drawing.annotate import STATE_COLOURS
from mien.drawing.timeline import Row, clock, timeline
from mien.errors import UsageError

BLUE, ORANGE = STATE_COLOURS["recognized"], STATE_COLOURS["unknown"]


def columns(image, colour):
    return np.nonzero((image == np.array(colour, np.uint8)).all(2).any(0))[0]


def test_a_bar_is_as_long_as_the_stay():
    whole = columns(timeline([Row("Ada", [(0, 10)])], 10.0), BLUE)
    left, length = whole.min(), whole.size
    half = columns(timeline([Row("Ada", [(2.5, 7.5)])], 10.0), BLUE)
    assert half.size == pytest.approx(length / 2, abs=2)
    assert half.min() == pytest.approx(left + length / 4, abs=2)
    two = columns(timeline([Row("Ada", [(0, 2), (8, 10)])], 10.0), BLUE)
    assert two.size == pytest.approx(0.4 * length, abs=3)
    assert np.diff(two).max() == pytest.approx(0.6 * length, abs=3)


def test_rows_stand_below_each_other_in_their_colours():
    image = timeline([Row("Ada", [(0, 9)]), Row("#2", [(0, 9)], "unknown")], 10.0)
    rows = {c: np.nonzero((image == np.array(c, np.uint8)).all(2).any(1))[0] for c in (BLUE, ORANGE)}
    assert rows[BLUE].max() < rows[ORANGE].min()


def test_spans_are_cut_to_the_clip_and_never_vanish():
    image = timeline([Row("Ada", [(-5, 50)])], 10.0)
    inside = timeline([Row("Ada", [(0, 10)])], 10.0)
    assert (image == inside).all()
    assert columns(timeline([Row("Ada", [(3, 3.0001)])], 86400.0), BLUE).size >= 2


def test_no_rows_and_long_names():
    assert timeline([], 3.0).shape[1] == 960
    image = timeline([Row("a name that is much too long for the place that it has " * 3, [(0, 1)])], 1.0, width=400)
    assert image.shape[1] == 400
    assert columns(image, BLUE).size > 200


@pytest.mark.parametrize(("seconds", "width"), [(0, 960), (-1, 960), (float("nan"), 960), (float("inf"), 960), (5, 10)])
def test_wrong_sizes_are_named(seconds, width):
    with pytest.raises(UsageError, match=f"seconds={seconds}, width={width}"):
        timeline([], seconds, width=width)


@pytest.mark.parametrize("seconds", [0.05, 0.9, 14, 600, 86400, 10_000_000])
def test_any_length_has_an_axis(seconds):
    image = timeline([], seconds)
    assert (image[-40:] < 150).any()


def test_clock():
    assert [clock(0), clock(59.6), clock(3600), clock(0.25, tenths=True)] == ["0:00", "1:00", "1:00:00", "0:00.2"]
