"""Identification and verification together: two pictures, their identities, and whether these are one."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class TwoStreamLoss(nn.Module):
    """Softmax of both pictures' identities, and a two-way softmax of the square of their features' difference.

    Zheng, Zheng, Yang, "A discriminatively learned CNN embedding for person re-identification", TOMM 2017. Both
    streams share the network and the identity classifier; each identification counts a half, as published.

    Args:
        dimension: D, of the features.
        identities: of the training set.
        dropout: of squares before the verification's layer; 0.9 as published.

    Attributes:
        identity: the classifier of both streams.
        verification: from the square layer to the two answers; the second is "the same".
    """

    def __init__(self, dimension: int, identities: int, dropout: float = 0.9) -> None:
        super().__init__()
        self.identity = nn.Linear(dimension, identities)
        self.verification = nn.Linear(dimension, 2)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.identity, self.verification):
            nn.init.normal_(layer.weight, std=0.001)
            nn.init.zeros_(layer.bias)

    def forward(
        self, first: Tensor, second: Tensor, first_labels: Tensor, second_labels: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The two losses, to be added.

        Args:
            first, second: `(P, D)`.
            first_labels, second_labels: int64 `(P,)`.

        Returns:
            scalars: half the sum of both identification losses, and the verification loss.

        Example:
            >>> loss = TwoStreamLoss(8, 5)
            >>> labels = torch.tensor([0, 1, 2])
            >>> identification, verification = loss(torch.randn(3, 8), torch.randn(3, 8), labels, labels.flip(0))
            >>> (identification + verification).backward()
        """
        identification = functional.cross_entropy(self.identity(first), first_labels) + functional.cross_entropy(
            self.identity(second), second_labels
        )
        square = self.dropout((first - second).square())
        same = (first_labels == second_labels).to(torch.int64)
        return identification / 2, functional.cross_entropy(self.verification(square), same)
