import itertools
from xml.etree.ElementTree import fromstring, tostring

import pytest

from mien.drawing.charts import Series, bar_chart


def rects(svg):
    return [(float(rect.get("y")), float(rect.get("height")), rect.get("fill")) for rect in svg.iter("rect")]


def test_bars_are_as_high_as_their_numbers():
    svg = bar_chart(["a", "b", "c"], [Series("n", [1, 0, 4])], x_title="x", y_title="y")
    (low_top, low, _), (high_top, high, _) = rects(svg)
    assert high == pytest.approx(4 * low, rel=0.01)
    assert low_top + low == pytest.approx(high_top + high)
    assert [title.text for title in svg.iter("title")] == ["a: 1", "c: 4"]


def test_several_series_are_stacked_and_named():
    svg = bar_chart(["a"], [Series("in", [2], "#111111"), Series("out", [3], "#222222")], x_title="x", y_title="y")
    bars = [rect for rect in rects(svg) if rect[1] > 10.5]
    assert bars[1][0] + bars[1][1] == pytest.approx(bars[0][0])
    assert {"in", "out"} <= {text.text for text in svg.iter("text")}


def test_labels_do_not_run_into_each_other():
    svg = bar_chart([f"{at} to {at + 1}" for at in range(48)], [Series("n", [1] * 48)], x_title="x", y_title="y")
    places = sorted(float(text.get("x")) for text in svg.iter("text") if " to " in text.text)
    assert len(places) > 3
    assert min(b - a for a, b in itertools.pairwise(places)) > 60


@pytest.mark.parametrize("values", [[], [0, 0], [0.2, 0.1], [1e9, 3]])
def test_any_numbers_give_a_chart(values):
    svg = bar_chart([str(at) for at in range(len(values))], [Series("n", values)], x_title="x", y_title="y")
    assert fromstring(tostring(svg)).tag == "svg"
