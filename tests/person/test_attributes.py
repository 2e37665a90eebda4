from __future__ import annotations

import numpy as np
import pytest

from mien.media.image import read
from mien.person.attributes import ATTRIBUTES, AttributeEstimator, _around, _rebalanced
from mien.person.colour import COLOURS
from mien.records import Person


@pytest.fixture(scope="module")
def estimator(models):
    return AttributeEstimator()


@pytest.fixture(scope="module")
def crops(data):
    return [read(path) for path in sorted(data("market_dev").rglob("*.jpg"))[:60:5]]


def test_outputs_have_the_names_of_the_card_in_its_order():
    card = "is_male has_bag has_backpack has_hat has_longsleeves has_longpants has_longhair has_coat_jacket"
    ours = ("male", "bag", "backpack", "hat", "long_sleeves", "long_trousers", "long_hair", "coat")
    assert ours == ATTRIBUTES
    assert len(card.split()) == len(ours)


def test_everybody_has_all_attributes_and_colours(estimator, crops):
    for looks in estimator.of_crops(crops):
        assert tuple(looks.probabilities) == ATTRIBUTES
        assert all(0 <= value <= 1 for value in looks.probabilities.values())
        assert {looks.upper_colour, looks.lower_colour} <= set(COLOURS)
        assert set(looks.to_dict()) == {*ATTRIBUTES, "upper_colour", "lower_colour"}


def test_a_batch_says_what_single_crops_say(estimator, crops):
    together = estimator.of_crops(crops)
    for crop, looks in zip(crops[:4], together, strict=False):
        (alone,) = estimator.of_crops([crop])
        assert alone.probabilities == pytest.approx(looks.probabilities, abs=1e-4)
        assert (alone.upper_colour, alone.lower_colour) == (looks.upper_colour, looks.lower_colour)


def test_a_person_in_a_picture_is_described_as_alone(estimator, crops):
    scene = np.full((300, 300, 3), 128, np.uint8)
    scene[50:178, 90:154] = crops[0]
    (inside,) = estimator(scene, [Person(np.float32([90, 50, 154, 178]), 0.9)])
    (alone,) = estimator.of_crops([crops[0]])
    assert inside.probabilities == pytest.approx(alone.probabilities, abs=1e-4)
    assert estimator(scene, []) == []


def test_clothes_dyed_change_their_colour_and_only_theirs(estimator, crops):
    """The upper half of people painted in one hue: the upper colour follows, the lower one stays."""
    before = estimator.of_crops(crops)
    dyed = []
    for crop in crops:
        picture = crop.copy()
        picture[:64] = (picture[:64].mean(2, keepdims=True) * 0.3 + [150, 0, 10]).clip(0, 255).astype(np.uint8)
        dyed.append(picture)
    after = estimator.of_crops(dyed)
    assert sum(looks.upper_colour == "red" for looks in after) >= 10
    assert sum(one.lower_colour == two.lower_colour for one, two in zip(before, after, strict=True)) >= 8


def test_the_balanced_output_becomes_one_half_and_order_stays():
    balance = np.array([0.44, 0.35, 0.30, 0.08, 0.10, 0.35, 0.29, 0.5], np.float32)
    np.testing.assert_allclose(_rebalanced(balance[None]), 0.5, atol=1e-6)
    values = _rebalanced(np.linspace(0, 1, 11, dtype=np.float32)[:, None].repeat(8, 1))
    assert (np.diff(values, axis=0) > 0).all()
    np.testing.assert_allclose(values[[0, -1]], [[0] * 8, [1] * 8], atol=1e-6)


@pytest.mark.parametrize("point", [(-1, -1), (2, 2), (0.5, 0.5), (np.nan, 0.5)])
def test_there_are_pixels_around_every_point(point):
    patch = _around(np.zeros((160, 80, 3), np.uint8), np.array(point, np.float32))
    assert patch.shape[0] >= 12
    assert patch.shape[1] >= 8
