"""Center loss: features are drawn to a running centre of their class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.training.losses.pairs import check_batch
from mien.training.sharded.sharding import Group, gather_batch


class CenterLoss(nn.Module):
    """Half the squared distance to the class's centre, beside a softmax.

    Wen, Zhang, Li, Qiao, "A discriminative feature learning approach for deep face recognition", ECCV 2016. Centres
    are no parameters: after each training step those of the batch's classes move by `rate` times the sum of their
    pictures' differences over one more than the number of these pictures.

    Args:
        dimension: D, of the features.
        classes: C.
        rate: the paper's alpha, 0 to 1.
        group: of the ranks whose batches move the centres together; None for the default one, or a single process.

    Attributes:
        centres: `(C, D)`; zeros at the start.
    """

    centres: Tensor

    def __init__(self, dimension: int, classes: int, rate: float = 0.5, group: Group = None) -> None:
        super().__init__()
        self.rate, self.group = rate, group
        self.register_buffer("centres", torch.zeros(classes, dimension))

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Mean over the batch of half the squared distance.

        Args:
            features: `(B, D)`.
            labels: int64 `(B,)`, 0 to C - 1.

        Returns:
            scalar.

        Raises:
            BadInputError: `batch_mismatch`.

        Example:
            >>> loss = CenterLoss(dimension=2, classes=3)
            >>> loss(torch.tensor([[1.0, 2.0]]), torch.tensor([2]))
            tensor(2.5000)
            >>> loss.centres[2]
            tensor([0.2500, 0.5000])
        """
        check_batch(features, labels)
        centres = self.centres[labels]
        loss = (features - centres).square().sum(1).mean() / 2
        if self.training:
            self._move(features.detach(), labels)
        return loss

    @torch.no_grad()
    def _move(self, features: Tensor, labels: Tensor) -> None:
        features, labels = gather_batch(features.to(self.centres.dtype), labels, self.group, 1.0)
        classes, place, count = labels.unique(return_inverse=True, return_counts=True)  # type: ignore[no-untyped-call]
        difference = torch.zeros_like(self.centres[classes])
        difference.index_add_(0, place, features - self.centres[labels])
        self.centres[classes] += self.rate * difference / (1 + count[:, None])
