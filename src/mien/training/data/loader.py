"""From samples to batches of tensors: which sample when is known in advance, so any process can make it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mien.errors import MienError
from mien.training.data.pictures import Sample, Samples
from mien.training.data.samplers import Sampler

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
) -> Generator[Batch, None, None]:
    """This rank's pieces of all batches from step `first_step` to the end of the last epoch.

    Raises, when it is asked for a batch, what the data raise, by whatever process it is made.

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
        collate_fn=_stack_or_failure,
        pin_memory=pin,
    )
    # OpenCV's threads do not come along into a forked process, which would wait for them for ever; told to use one, it
    # ends them, and so do the workers, which share the cores anyway.
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        return _unfailed(iter(loader))
    finally:
        cv2.setNumThreads(threads)


def stack(samples: list[Sample]) -> Batch:
    """Samples with the same names as one batch."""
    return {name: torch.from_numpy(np.stack([sample[name] for sample in samples])) for name in samples[0]}


class _Failure(NamedTuple):
    """An error of a process that makes samples, for the one that trains: PyTorch brings across only its text."""

    kind: type[MienError]
    message: str
    code: str


class _Keyed(Dataset["Sample | _Failure"]):
    def __init__(self, data: Samples, seed: int) -> None:
        self.data, self.seed = data, seed

    def __getitem__(self, key: _Key) -> Sample | _Failure:
        epoch, place, index = key
        try:
            return self.data.sample(index, np.random.default_rng([self.seed, epoch, place]))
        except MienError as error:
            return _Failure(type(error), str(error), error.code)


def _stack_or_failure(samples: list[Sample | _Failure]) -> Batch | _Failure:
    made = []
    for sample in samples:
        if isinstance(sample, _Failure):
            return sample
        made.append(sample)
    return stack(made)


def _unfailed(stream: Iterator[Batch | _Failure]) -> Generator[Batch, None, None]:
    try:
        for batch in stream:
            if isinstance(batch, _Failure):
                raise batch.kind(batch.message, code=batch.code)
            yield batch
    finally:
        # An error's traceback keeps the iterator; its processes would end when the garbage is collected, at any time,
        # in any thread. PyTorch has no public way to end them now.
        if hasattr(stream, "_shutdown_workers"):
            stream._shutdown_workers()


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
