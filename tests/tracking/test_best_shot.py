"""When a feature is extracted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.errors import UsageError
from mien.tracking.best_shot import BestShots


def offers(shots, *qualities, track=1):
    return [shots.offer(track, quality) for quality in qualities]


def test_the_first_good_shot_then_only_clearly_better_ones():
    shots = BestShots(minimum=0.5, gain=0.1)
    assert offers(shots, 0.3, 0.5, 0.55, 0.59, 0.61, 0.65, 0.2) == [False, True, False, False, True, False, False]


def test_the_best_so_far_has_to_do_when_patience_ends():
    shots = BestShots(minimum=0.5, gain=0.1, patience=3)
    assert offers(shots, 0.45, 0.2, 0.3) == [False, False, True]
    # the shot of 0.45 was extracted: better than 0.3 is not enough, nor better than 0.45 without being good
    assert offers(shots, 0.44, 0.49, 0.54, 0.56) == [False, False, False, True]


def test_after_a_poor_extraction_only_a_good_shot_is_worth_another():
    shots = BestShots(minimum=0.5, gain=0.1, patience=1)
    assert offers(shots, 0.1, 0.3, 0.49, 0.5) == [True, False, False, True]


def test_at_most_three():
    shots = BestShots(minimum=0.1, gain=0.1)
    assert sum(offers(shots, *(step / 20 for step in range(21)))) == 3


def test_tracks_do_not_know_of_each_other():
    shots = BestShots(minimum=0.5)
    assert offers(shots, 0.9, track=1) == [True]
    assert offers(shots, 0.6, track=2) == [True]


def test_forgetting_says_whether_the_track_goes_without_a_feature():
    shots = BestShots(minimum=0.5)
    offers(shots, 0.2, track=1)
    offers(shots, 0.8, track=2)
    assert shots.forget(1) is True
    assert shots.forget(2) is False
    assert shots.forget(3) is False
    assert offers(shots, 0.8, track=2) == [True]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=60),
    st.floats(0, 1),
    st.floats(0.01, 0.5),
    st.integers(1, 20),
    st.integers(1, 4),
)
def test_every_track_is_extracted_at_least_once_and_never_too_often(qualities, minimum, gain, patience, most):
    shots = BestShots(minimum=minimum, gain=gain, patience=patience, most=most)
    extractions = sum(offers(shots, *qualities)) + shots.forget(1)
    assert 1 <= extractions <= most


@pytest.mark.parametrize("arguments", [{"minimum": 1.1}, {"gain": 0}, {"patience": 0}, {"most": 0}])
def test_an_argument_out_of_range_is_named(arguments):
    with pytest.raises(UsageError, match=next(iter(arguments))):
        BestShots(**arguments)


def test_a_spare_extraction_counts_towards_the_most():
    shots = BestShots(minimum=0.5, gain=0.1, most=2)
    assert not shots.has_spare(1)
    assert shots.offer(1, 0.6)
    assert shots.has_spare(1)
    shots.spend(1)
    assert not shots.has_spare(1)
    assert not shots.offer(1, 0.99)


def test_a_settled_track_needs_no_measurement():
    shots = BestShots(minimum=0.5, gain=0.1, most=2)
    assert not shots.is_settled(1, 0.0)
    shots.offer(1, 0.6)
    assert shots.is_settled(1, 0.69)
    assert not shots.is_settled(1, 0.71)
    shots.offer(1, 0.8)
    assert shots.is_settled(1, 1.0)
