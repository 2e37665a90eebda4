"""The full classifier of one machine: all class weights, a head, logits for `cross_entropy`."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.training.heads.head import Head


class Classifier(nn.Module):
    """Class weights under a margin head.

    Where the classes are too many for one device, `mien.training.sharded.sharded_classifier` gives the same loss.

    Args:
        dimension: D, of the features.
        classes: C.
        head: what is done to the cosines.

    Attributes:
        weight: `(C, D)`, normal with deviation 0.01 at the start.
        bias: `(C,)`, zeros at the start; None for heads on cosines.
    """

    def __init__(self, dimension: int, classes: int, head: Head) -> None:
        super().__init__()
        self.head = head
        self.weight = nn.Parameter(torch.empty(classes, dimension).normal_(std=0.01))
        self.bias = None if head.normalized else nn.Parameter(torch.zeros(classes))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Logits.

        Args:
            features: `(B, D)`.
            labels: int64 `(B,)`, 0 to C - 1.

        Returns:
            `(B, C)`.

        Example:
            >>> from mien.training.heads.cosface import CosFace
            >>> classifier = Classifier(8, 5, CosFace(scale=30.0))
            >>> labels = torch.tensor([0, 4, 1])
            >>> functional.cross_entropy(classifier(torch.randn(3, 8), labels), labels).shape
            torch.Size([])
        """
        # Under autocast the product is in half precision; margins and softmax are not.
        dtype = torch.promote_types(features.dtype, torch.float32)
        norm = features.to(dtype).norm(dim=1)
        if self.head.normalized:
            cosine = functional.linear(functional.normalize(features), functional.normalize(self.weight))
        else:
            cosine = functional.linear(features, self.weight, self.bias)
        logits: Tensor = self.head(cosine.to(dtype), labels, norm)
        return logits
