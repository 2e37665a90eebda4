"""Which pictures of a batch are of one class, and how far apart their features are."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.errors import BadInputError


def same_class(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Pairs of a batch: those of one class without a picture's pair with itself, and those of two classes.

    Args:
        labels: int64 `(B,)`.

    Returns:
        two bool `(B, B)`.
    """
    same = labels[:, None] == labels[None]
    return same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device), ~same


def distances(first: Tensor, second: Tensor) -> Tensor:
    """Euclidean distances of each row of `(A, D)` to each of `(B, D)`: `(A, B)`.

    Computed from differences, not from products, which lose half of the digits of small distances; the derivative at
    a distance of 0 is 0.
    """
    return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")


def check_batch(features: Tensor, labels: Tensor) -> None:
    """Raise unless there is a label for every feature.

    Raises:
        BadInputError: `batch_mismatch`.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise BadInputError(
            f"features of shape {tuple(features.shape)} with labels of shape {tuple(labels.shape)}: "
            "expected (B, D) and (B,); give one label a feature",
            code="batch_mismatch",
        )
