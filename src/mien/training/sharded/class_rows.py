"""The classes of a shard that take part in a step, slab by slab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_SLAB_ELEMENTS = {"cpu": 1 << 20, "cuda": 1 << 24}
"""Elements of the largest temporary: small beside the activations, large enough to keep the device busy."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassRows:
    """Class weights, of which perhaps only some rows take part.

    Attributes:
        weight: `(C, D)`.
        bias: `(C,)` or None.
        rows: int64 `(K,)`, sorted; None for all.
        normalized: whether a class is its weight made a unit vector.
    """

    weight: Tensor
    bias: Tensor | None
    rows: Tensor | None
    normalized: bool

    def __len__(self) -> int:
        return len(self.weight) if self.rows is None else len(self.rows)

    def slabs(self, batch: int) -> Iterator[slice]:
        """Slices of the rows that take part, for temporaries of their number x D and x `batch`."""
        elements = _SLAB_ELEMENTS.get(self.weight.device.type, 1 << 24)
        step = max(1, elements // max(batch, self.weight.shape[1]))
        for start in range(0, len(self), step):
            yield slice(start, min(start + step, len(self)))

    def unit(self, slab: slice) -> tuple[Tensor, Tensor | None]:
        """Classes `(n, D)` and what they were divided by `(n, 1)`, or None where they are not normalized."""
        return self._unit(slab if self.rows is None else self.rows[slab])

    def bias_of(self, slab: slice) -> Tensor:
        """`(n,)`, zeros where there is none."""
        if self.bias is None:
            return self.weight.new_zeros(slab.stop - slab.start)
        return self.bias[slab] if self.rows is None else self.bias[self.rows[slab]]

    def cosine_at(self, column: Tensor, features: Tensor) -> Tensor:
        """Each picture's cosine with one class `(B,)`: `column` `(B,)` counts rows that take part, -1 gives 0."""
        place = column.clamp(min=0)
        rows = place if self.rows is None else self.rows[place]
        cosine = (features * self._unit(rows)[0]).sum(1)
        if self.bias is not None:
            cosine += self.bias[rows]
        return cosine.masked_fill_(column < 0, 0)

    def spread(self, gradient: Tensor) -> Tensor:
        """The gradient of rows that take part, `(K, ...)`, as one of all: itself, or a sparse tensor."""
        if self.rows is None:
            return gradient
        shape = (len(self.weight), *gradient.shape[1:])
        return torch.sparse_coo_tensor(self.rows[None], gradient, shape, is_coalesced=True, check_invariants=False)

    def _unit(self, index: slice | Tensor) -> tuple[Tensor, Tensor | None]:
        weight = self.weight[index]
        if not self.normalized:
            return weight, None
        length = weight.norm(dim=1, keepdim=True).clamp(min=1e-12)
        return weight / length, length
