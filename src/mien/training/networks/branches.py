"""What a network with several losses gives in training mode."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Branches:
    """Features of one batch, sorted by the loss that they go to.

    Attributes:
        metric: inputs of triplet losses, each `(B, D)`; empty where the network has none.
        classified: inputs of softmax losses, each `(B, D_i)`, one classifier each.
    """

    metric: tuple[Tensor, ...]
    classified: tuple[Tensor, ...]
