"""A classifier of very many identities, split by class over the ranks of a process group.

Each rank holds the weights of its classes alone. The features of all ranks are gathered; every rank computes the
cosines of the whole batch with its own classes; maxima and sums of the softmax are reduced over the ranks. No rank
ever holds another's weights or logits, and the result is that of the full layer on one device.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import BadInputError
from mien.training.heads.head import Head
from mien.training.sharded.class_sampling import sampled_rows
from mien.training.sharded.sharded_softmax import ShardedSoftmax
from mien.training.sharded.sharding import Group, class_range, gather_batch, rank_of, ranks_in

_INITIAL_BLOCK = 4096


class ShardedClassifier(nn.Module):
    """Class weights of one rank under a margin head; calling it gives the loss of the whole batch.

    The weight is not to be wrapped in `DistributedDataParallel`: ranks hold different classes. Under `torch.autocast`
    the matrix products are in half precision, everything else in float32. Calls may be repeated before an optimizer
    step; gradients add up.

    Args:
        dimension: D, of the features.
        classes: C, of all ranks together.
        head: what is done to the cosines; its running statistics stay the same on every rank.
        rate: share of the classes drawn for each training step (partial FC), 1 for all. Below 1 the gradient of the
            weight is sparse, see `mien.training.sharded.row_sgd`.
        seed: of the initial weights and of the drawing; the same on every rank.
        averaged: the features come from a network under `DistributedDataParallel`, which divides its gradients by
            the number of ranks: the features' gradient is multiplied by it.
        group: process group, None for the default one, or for a single process where there is none.

    Attributes:
        shard: the classes of this rank.
        weight: `(C of this rank, D)`; as initialized a class is the same for any number of ranks.
        bias: `(C of this rank,)`; None for heads on cosines.
        step: int64 `()`, how many times it was called in training.

    Example:
        >>> from mien.training.heads.cosface import CosFace
        >>> classifier = ShardedClassifier(8, 5, CosFace(scale=30.0))
        >>> classifier(torch.randn(3, 8), torch.tensor([0, 4, 1])).backward()
    """

    step: Tensor

    def __init__(
        self,
        dimension: int,
        classes: int,
        head: Head,
        *,
        rate: float = 1.0,
        seed: int = 0,
        averaged: bool = False,
        group: Group = None,
    ) -> None:
        super().__init__()
        self.shard = class_range(classes, rank_of(group), ranks_in(group))
        self.head, self.rate, self.seed, self.group = head, rate, seed, group
        self.gradient_scale = float(ranks_in(group)) if averaged else 1.0
        self.weight = nn.Parameter(torch.empty(len(self.shard), dimension))
        self.bias = None if head.normalized else nn.Parameter(torch.zeros(len(self.shard)))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self._initialize()

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Mean of `-log softmax` at the own class over the pictures of all ranks.

        Args:
            features: `(b, D)`, this rank's part of the batch; b may differ from rank to rank.
            labels: int64 `(b,)`, 0 to C - 1.

        Returns:
            scalar, the same on every rank. Its gradient, too, is that of the whole batch: do not average it again.

        Raises:
            BadInputError: a label is outside 0 to C - 1 (`label_out_of_range`), on every rank.
        """
        dtype = torch.promote_types(features.dtype, torch.float32)
        product_dtype = _product_dtype(features.device.type, dtype)
        with torch.autocast(features.device.type, enabled=False):
            features, labels = gather_batch(features.to(dtype), labels, self.group, self.gradient_scale)
            self._check(labels)
            rows = None
            column = torch.where(
                (labels >= self.shard.first) & (labels < self.shard.last), labels - self.shard.first, -1
            )
            if self.training:
                if self.rate < 1:
                    rows = sampled_rows(self.shard, labels, self.rate, self.seed, int(self.step))
                    column = torch.where(column < 0, -1, torch.searchsorted(rows, column))
                self.step += 1
            norm = features.detach().norm(dim=1)
            if self.head.normalized:
                features = functional.normalize(features)
            losses: Tensor = ShardedSoftmax.apply(  # type: ignore[no-untyped-call]
                features, self.weight, self.bias, rows, column, norm, self.head, product_dtype, self.group
            )
            return losses.mean()

    def _check(self, labels: Tensor) -> None:
        lowest, highest = labels.aminmax()
        if lowest < 0 or highest >= self.shard.classes:
            raise BadInputError(
                f"labels from {int(lowest)} to {int(highest)} were given to a classifier of {self.shard.classes} "
                f"classes: they must lie in 0 to {self.shard.classes - 1}; number the identities of the set anew",
                code="label_out_of_range",
            )

    @torch.no_grad()
    def _initialize(self) -> None:
        """Normal with deviation 0.01, drawn by blocks of classes so that no rank draws more than its own."""
        first_block, last_block = self.shard.first // _INITIAL_BLOCK, (self.shard.last - 1) // _INITIAL_BLOCK
        for block in range(first_block, last_block + 1):
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + block)
            values = torch.empty(_INITIAL_BLOCK, self.weight.shape[1]).normal_(std=0.01, generator=generator)
            start = block * _INITIAL_BLOCK
            low, high = max(start, self.shard.first), min(start + _INITIAL_BLOCK, self.shard.last)
            self.weight[low - self.shard.first : high - self.shard.first] = values[low - start : high - start]


def _product_dtype(device: str, dtype: torch.dtype) -> torch.dtype:
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else dtype
