"""Which samples make up which batch. A sampler is a pure function of the seed and the epoch's number, so that a run
can be taken up again in the middle of an epoch without having kept any generator's state."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.training.data.pictures import Samples

Indices = NDArray[np.int64]


class Sampler(Protocol):
    """What the loader needs of a recipe's `[sampler]`.

    Attributes:
        batch: samples a step, over all ranks and pieces.
        batches: steps an epoch, the same in each.
    """

    batch: int
    batches: int

    def epoch(self, number: int) -> Indices:
        """Indices of samples, int64 `(batches, batch)`, of epoch `number` (from 0)."""
        ...


class RandomSampler:
    """Every sample once an epoch, in random order; the last incomplete batch is left out.

    Args:
        data: the samples.
        seed: of the order.
        batch: samples a step.

    Raises:
        BadInputError: `data_too_few`: there are fewer samples than one batch.
    """

    def __init__(self, data: Samples, seed: int, batch: int) -> None:
        if not 1 <= batch <= len(data):
            raise BadInputError(
                f"sampler.batch = {batch} of a set of {len(data)} samples; lower the batch or take more data",
                code="data_too_few",
            )
        self.batch = batch
        self.batches = len(data) // batch
        self._seed, self._count = seed, len(data)

    def epoch(self, number: int) -> Indices:
        """See `Sampler.epoch`."""
        order = np.random.default_rng([self._seed, number]).permutation(self._count)
        return order[: self.batches * self.batch].reshape(self.batches, self.batch).astype(np.int64)


class IdentitySampler:
    """P identities with K pictures each, for losses that compare pictures (Hermans et al. 2017).

    Identities come equally often, whatever their number of pictures; one with fewer than K shows some of them twice.
    An epoch has as many pictures as the set. The pictures of one identity lie side by side in the batch, so that a
    rank's piece of it holds whole identities.

    Args:
        data: the samples, with the label `identity`.
        seed: of the order.
        identities: P, at least 2.
        pictures: K, at least 2.

    Raises:
        BadInputError: `data_unlabelled`; `data_too_few`: fewer than P identities; `data_one_picture`: most identities
            have one picture, so that there are no pairs to learn from.
    """

    def __init__(self, data: Samples, seed: int, identities: int = 16, pictures: int = 4) -> None:
        labels = data.labels.get("identity")
        if labels is None:
            raise BadInputError(
                "sampler: the set has no identities; take mien.training.data.samplers.RandomSampler",
                code="data_unlabelled",
            )
        if identities < 2 or pictures < 2:
            raise BadInputError(
                f"sampler: identities = {identities}, pictures = {pictures}; both must be at least 2",
                code="recipe_value",
            )
        order = np.argsort(labels, kind="stable")
        found, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
        if len(found) < identities:
            raise BadInputError(
                f"sampler.identities = {identities}, but the set has {len(found)}; lower it or take more data",
                code="data_too_few",
            )
        single = int((counts == 1).sum())
        if single * 2 > len(found):
            raise BadInputError(
                f"{single} of {len(found)} identities have one picture, and a pair needs two; take "
                "mien.training.data.samplers.RandomSampler, or a set with several pictures an identity",
                code="data_one_picture",
            )
        self.batch = identities * pictures
        self.batches = max(1, len(labels) // self.batch)
        self._seed, self._identities, self._pictures = seed, identities, pictures
        self._order, self._starts, self._counts = order.astype(np.int64), starts, counts

    def epoch(self, number: int) -> Indices:
        """See `Sampler.epoch`."""
        random = np.random.default_rng([self._seed, number])
        per_turn = len(self._counts) // self._identities  # batches that one shuffle of the identities fills
        turns = -(-self.batches // per_turn)
        usable = per_turn * self._identities
        deck = np.concatenate([random.permutation(len(self._counts))[:usable] for _ in range(turns)])
        deck = deck[: self.batches * self._identities]
        chosen = np.empty((len(deck), self._pictures), np.int64)
        left: dict[int, list[int]] = {}
        for row, identity in enumerate(deck.tolist()):
            queue = left.setdefault(identity, [])
            fresh: list[int] = []
            while len(queue) < self._pictures:
                fresh = random.permutation(int(self._counts[identity])).tolist()
                queue += fresh
            chosen[row] = queue[: self._pictures]
            left[identity] = queue[self._pictures :]
            chosen[row] += self._starts[identity]
        return self._order[chosen].reshape(self.batches, self.batch)
