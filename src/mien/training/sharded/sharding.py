"""Classes and batches split over ranks: who holds what, and the few collectives that are needed.

Every function takes the process group, None being the default group; where `torch.distributed` was never initialized
there is one rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist

from mien.errors import UsageError

Group = Any
"""A `torch.distributed.ProcessGroup` or None; a build of PyTorch without `distributed` has no such type."""


@dataclass(frozen=True, slots=True)
class ClassRange:
    """The classes `first` to `last - 1` out of `classes`."""

    first: int
    last: int
    classes: int

    def __len__(self) -> int:
        return self.last - self.first


def class_range(classes: int, rank: int, ranks: int) -> ClassRange:
    """The share of one rank: contiguous, as even as can be, the first ranks holding one more.

    Example:
        >>> [len(class_range(10, rank, 3)) for rank in range(3)]
        [4, 3, 3]
    """
    if classes < ranks:
        raise UsageError(
            f"{classes} classes cannot be split over {ranks} ranks: each needs at least one; use fewer ranks",
            code="too_many_ranks",
        )
    share, rest = divmod(classes, ranks)
    first = rank * share + min(rank, rest)
    return ClassRange(first, first + share + (rank < rest), classes)


def rank_of(group: Group = None) -> int:
    """This process's rank, 0 where there is only one process."""
    return dist.get_rank(group) if _distributed() else 0


def ranks_in(group: Group = None) -> int:
    """How many ranks there are, 1 where there is only one process."""
    return dist.get_world_size(group) if _distributed() else 1


def sum_over_ranks(tensor: Tensor, group: Group = None) -> Tensor:
    """The sum of every rank's tensor, in place."""
    if ranks_in(group) > 1:
        dist.all_reduce(tensor, dist.ReduceOp.SUM, group=group)
    return tensor


def max_over_ranks(tensor: Tensor, group: Group = None) -> Tensor:
    """The elementwise maximum of every rank's tensor, in place."""
    if ranks_in(group) > 1:
        dist.all_reduce(tensor, dist.ReduceOp.MAX, group=group)
    return tensor


def gather_batch(features: Tensor, labels: Tensor, group: Group, gradient_scale: float) -> tuple[Tensor, Tensor]:
    """The whole batch, the ranks' parts one after the other.

    Args:
        features: `(b, D)`, b may differ from rank to rank.
        labels: int64 `(b,)`.
        group: process group.
        gradient_scale: what this rank's part of the gradient is multiplied with on its way back.

    Returns:
        features `(B, D)` and labels `(B,)`, the same on every rank. The gradient of the features must be the same on
        every rank, too: each rank takes its part of it.
    """
    if ranks_in(group) == 1:
        return features, labels
    own = torch.tensor([len(labels)], device=labels.device)
    lengths = torch.stack(_gather(own, group))[:, 0].tolist()
    gathered: Tensor = _GatherRows.apply(features, lengths, group, gradient_scale)  # type: ignore[no-untyped-call]
    return gathered, _gather_rows(labels, lengths, group)


class _GatherRows(torch.autograd.Function):
    """Rows of every rank; backwards, this rank's rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, lengths: list[int], group: Group, gradient_scale: float) -> Tensor:
        first = sum(lengths[: rank_of(group)])
        ctx.own, ctx.gradient_scale = slice(first, first + len(rows)), gradient_scale
        return _gather_rows(rows, lengths, group)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        return gradients[0][ctx.own] * ctx.gradient_scale, None, None, None


def _gather_rows(rows: Tensor, lengths: list[int], group: Group) -> Tensor:
    # Gloo and NCCL gather tensors of one shape: shorter parts are filled up, and cut again.
    padded = rows.new_zeros(max(lengths), *rows.shape[1:])
    padded[: len(rows)] = rows
    parts = zip(_gather(padded, group), lengths, strict=True)
    return torch.cat([part[:length] for part, length in parts])


def _gather(tensor: Tensor, group: Group) -> list[Tensor]:
    parts = [torch.empty_like(tensor) for _ in range(ranks_in(group))]
    dist.all_gather(parts, tensor, group=group)
    return parts


def _distributed() -> bool:
    return dist.is_available() and dist.is_initialized()
