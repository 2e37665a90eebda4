"""Assignment against SciPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.optimize import linear_sum_assignment

from mien.tracking.assignment import assign, match

SHAPES = st.tuples(st.integers(0, 9), st.integers(0, 9))
COSTS = SHAPES.flatmap(
    lambda shape: arrays.arrays(
        np.float64, shape, elements=st.one_of(st.integers(-3, 3), st.floats(-5, 5), st.just(np.inf))
    )
)


def assert_one_to_one(rows, columns):
    assert (np.diff(rows) > 0).all()
    assert len(set(columns.tolist())) == len(columns) == len(rows)


@settings(max_examples=400, deadline=None)
@given(COSTS)
def test_as_many_pairs_at_as_low_a_cost_as_scipy(cost):
    rows, columns = assign(cost)
    assert_one_to_one(rows, columns)
    assert np.isfinite(cost[rows, columns]).all()
    filled = np.where(np.isfinite(cost), cost, 1e6)
    expected_rows, expected_columns = linear_sum_assignment(filled)
    expected = cost[expected_rows, expected_columns]
    assert len(rows) == np.isfinite(expected).sum()
    assert cost[rows, columns].sum() == pytest.approx(expected[np.isfinite(expected)].sum(), abs=1e-7)


@pytest.mark.parametrize("shape", [(1, 1), (40, 40), (30, 90), (90, 30), (200, 150)])
@pytest.mark.parametrize("allowed", [1.0, 0.3, 0.02])
def test_large_costs(shape, allowed):
    rng = np.random.default_rng(shape[0])
    cost = np.where(rng.random(shape) < allowed, rng.random(shape), np.inf)
    rows, columns = assign(cost)
    assert_one_to_one(rows, columns)
    expected = linear_sum_assignment(np.where(np.isfinite(cost), cost, 1e4))
    expected = cost[expected]
    assert np.isfinite(cost[rows, columns]).all()
    assert len(rows) == np.isfinite(expected).sum()
    assert cost[rows, columns].sum() == pytest.approx(expected[np.isfinite(expected)].sum(), abs=1e-9)


def test_many_rows_that_want_the_same_column():
    cost = np.arange(60.0)[:, None] * 0.01 + np.arange(60.0) ** 2
    rows, columns = assign(cost)
    expected = cost[linear_sum_assignment(cost)].sum()
    assert len(rows) == 60
    assert cost[rows, columns].sum() == pytest.approx(expected)


def test_nothing_to_pair():
    for cost in (np.empty((0, 3)), np.empty((3, 0)), np.full((2, 3), np.inf)):
        rows, columns = assign(cost)
        assert rows.shape == columns.shape == (0,)
        assert match(-cost, 0.1)[0].shape == (0,)


@settings(max_examples=300, deadline=None)
@given(
    SHAPES.flatmap(
        lambda shape: arrays.arrays(np.float64, shape, elements=st.sampled_from([0, 0.1, 0.25, 0.3, 0.5, 0.75, 0.9, 1]))
    ),
    st.sampled_from([0, 0.1, 0.3]),
)
def test_match_gains_as_much_as_scipy(similarity, minimum):
    rows, columns = match(similarity, minimum)
    assert_one_to_one(rows, columns)
    assert (similarity[rows, columns] > minimum).all()
    gain = np.maximum(similarity - minimum, 0)
    assert gain[rows, columns].sum() == pytest.approx(gain[linear_sum_assignment(gain, maximize=True)].sum())


def test_match_does_not_give_up_a_good_pair_for_two_bad_ones():
    similarity = np.array([[0.9, 0.11], [0.11, 0.0]])
    rows, columns = match(similarity, 0.1)
    assert (rows.tolist(), columns.tolist()) == ([0], [0])
