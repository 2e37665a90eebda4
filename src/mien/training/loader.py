"""From samples to batches of tensors: which sample when is known in advance, so any process can make it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mien.training.pictures import Sample, Samples
from mien.training.samplers import Sampler

Batch = dict[str, torch.Tensor]
"""The samples' values by name, stacked: `image` uint8 `(B, H, W, 3)`, `identity` int64 `(B,)`, ..."""

_Key = tuple[int, int, int]
"""Epoch, place in the epoch, index of the sample: what a sample's randomness depends on."""


def batches(
    data: Samples,
    sampler: Sampler,
    *,
    seed: int,
    epochs: int,
    first_step: int = 0,
    rank: int = 0,
    ranks: int = 1,
    workers: int = 0,
    pin: bool = False,
) -> Iterator[Batch]:
    """This rank's pieces of all batches from step `first_step` to the end of the last epoch.

    Args:
        data, sampler: the samples and their order; a batch is cut into equal pieces, one a rank, in its order.
        seed: of the samples' randomness.
        epochs: of the whole run.
        first_step: steps that are done already, from the run's start.
        rank, ranks: this process and how many there are.
        workers: processes that make samples; 0 makes them here.
        pin: put them into page-locked memory, for a GPU.
    """
    loader: DataLoader[Any] = DataLoader(
        _Keyed(data, seed),
        batch_sampler=_keys(sampler, epochs, first_step, rank, ranks),  # a generator: it is asked once
        num_workers=workers,
        collate_fn=stack,
        pin_memory=pin,
    )
    # OpenCV's threads do not come along into a forked process, which would wait for them for ever; told to use one, it
    # ends them, and so do the workers, which share the cores anyway.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return iter(loader)
    finally:
        cv2.setNumThreads(threads)


def stack(samples: list[Sample]) -> Batch:
    """Samples with the same names as one batch."""
    return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}


class _Keyed(Dataset[Sample]):
    def __init__(self, data: Samples, seed: int) -> None:
        self.data, self.seed = data, seed

    def __getitem__(self, key: _Key) -> Sample:
        epoch, place, index = key
        return self.data.sample(index, np.random.default_rng([self.seed, epoch, place]))


def _keys(sampler: Sampler, epochs: int, first_step: int, rank: int, ranks: int) -> Iterator[list[_Key]]:
    piece = sampler.batch // ranks
    first_epoch, first_batch = divmod(first_step, sampler.batches)
    for epoch in range(first_epoch, epochs):
        for number, batch in enumerate(sampler.epoch(epoch)):
            if epoch == first_epoch and number < first_batch:
                continue
            start = rank * piece
            place = number * sampler.batch + start
            indices = batch[start : start + piece].tolist()
            yield [(epoch, place + offset, index) for offset, index in enumerate(indices)]
