"""Which classes take part in a step: those of the batch and a random share of the others."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.errors import UsageError
from mien.training.sharded.sharding import ClassRange

_BITS = 64


def sampled_rows(shard: ClassRange, labels: Tensor, rate: float, seed: int, step: int) -> Tensor:
    """Rows of a shard that take part in one step.

    An, Zhu, Gao, Xiao, Zhao, Feng, Wu, Qin, Zhang, Zhang, Fu, "Partial FC: training 10 million identities on a single
    machine", ICCVW 2021: the classes of the batch, and of the others each with probability `rate`. Whether a class is
    drawn depends on its number, the seed and the step alone, so that any split over ranks draws the same classes.

    Args:
        shard: this rank's classes.
        labels: int64 `(B,)` of the whole batch.
        rate: above 0, at most 1.
        seed: of the whole training.
        step: counts the training steps.

    Returns:
        int64 `(K,)`, sorted, counted from the shard's first class.

    Example:
        >>> len(sampled_rows(ClassRange(0, 10_000, 10_000), torch.tensor([3]), 0.1, seed=0, step=7))
        976
    """
    if not 0 < rate <= 1:
        raise UsageError(f"the share of classes in a step must be above 0 and at most 1, not {rate}", code="bad_rate")
    numbers = torch.arange(shard.first, shard.last, device=labels.device)
    drawn = _uniform(numbers, _mix(_mix(seed) ^ step)) < rate
    own = labels[(labels >= shard.first) & (labels < shard.last)] - shard.first
    drawn[own] = True
    return drawn.nonzero()[:, 0]


def _uniform(numbers: Tensor, key: int) -> Tensor:
    """One value in [0, 1) for each int64 number: SplitMix64's mixing of number and key."""
    mixed = numbers * _signed(0x9E3779B97F4A7C15) + _signed(key)
    mixed = (mixed ^ _shifted(mixed, 30)) * _signed(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ _shifted(mixed, 27)) * _signed(0x94D049BB133111EB)
    return _shifted(mixed ^ _shifted(mixed, 31), 40).to(torch.float32) / (1 << 24)


def _mix(number: int) -> int:
    """The same mixing of one Python integer, to a 64-bit one."""
    mask = (1 << _BITS) - 1
    mixed = (number + 0x9E3779B97F4A7C15) & mask
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & mask
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
    return mixed ^ (mixed >> 31)


def _shifted(numbers: Tensor, bits: int) -> Tensor:
    """Shift to the right without copying the sign."""
    return (numbers >> bits) & ((1 << (_BITS - bits)) - 1)


def _signed(number: int) -> int:
    """The same 64 bits as a signed integer."""
    return number - (1 << _BITS) if number >> (_BITS - 1) else number
