"""Orders follow from seed and epoch, and hold what they promise."""

import numpy as np
import pytest

pytest.importorskip("torch")

from mien.errors import BadInputError
from mien.training.data.samplers import IdentitySampler, RandomSampler


class Labelled:
    def __init__(self, counts):
        self.labels = {"identity": np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))}

    def __len__(self):
        return len(self.labels["identity"])


def test_random_order_takes_everything_once():
    data = Labelled([10, 13])
    sampler = RandomSampler(data, seed=5, batch=4)
    first = sampler.epoch(0)
    assert first.shape == (sampler.batches, 4) == (5, 4)
    assert len(np.unique(first)) == 20
    assert (first == RandomSampler(data, seed=5, batch=4).epoch(0)).all()
    assert (first != sampler.epoch(1)).any()
    assert (first != RandomSampler(data, seed=6, batch=4).epoch(0)).any()


def test_identities_come_whole_and_no_one_twice():
    data = Labelled([9, 2, 30, 4, 5, 1, 7])
    sampler = IdentitySampler(data, seed=1, identities=3, pictures=4)
    batches = sampler.epoch(2)
    assert batches.shape == (58 // 12, 12)
    for batch in batches:
        people = data.labels["identity"][batch].reshape(3, 4)
        assert (people == people[:, :1]).all()
        assert len(np.unique(people[:, 0])) == 3


def test_pictures_of_an_identity_repeat_only_when_all_were_shown():
    data = Labelled([8, 8, 3])
    seen = IdentitySampler(data, seed=1, identities=3, pictures=4).epoch(0)
    for batch in seen:
        rows = {int(data.labels["identity"][row[0]]): row for row in batch.reshape(3, 4)}
        assert len(set(rows[0])) == len(set(rows[1])) == 4
        assert len(set(rows[2])) == 3


def test_identities_come_equally_often():
    data = Labelled([40, 4, 4, 4, 4, 4])
    sampler = IdentitySampler(data, seed=3, identities=2, pictures=2)
    people = np.concatenate([data.labels["identity"][sampler.epoch(number)][:, ::2].ravel() for number in range(20)])
    shares = np.bincount(people) / len(people)
    assert shares.max() < 1.15 / 6


def test_an_epochs_order_does_not_depend_on_those_before():
    data = Labelled([5] * 9)
    one = IdentitySampler(data, seed=3, identities=4, pictures=2)
    one.epoch(0)
    one.epoch(1)
    assert (one.epoch(7) == IdentitySampler(data, seed=3, identities=4, pictures=2).epoch(7)).all()


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: RandomSampler(Labelled([3]), seed=0, batch=4), "data_too_few"),
        (lambda: RandomSampler(Labelled([3]), seed=0, batch=0), "data_too_few"),
        (lambda: IdentitySampler(Labelled([3, 3]), seed=0, identities=4, pictures=2), "data_too_few"),
        (lambda: IdentitySampler(Labelled([1, 1, 1, 2]), seed=0, identities=2, pictures=2), "data_one_picture"),
        (lambda: IdentitySampler(Labelled([3, 3]), seed=0, identities=1, pictures=2), "recipe_value"),
    ],
)
def test_sets_that_cannot_be_sampled_so(make, code):
    with pytest.raises(BadInputError) as caught:
        make()
    assert caught.value.code == code
