"""Contrastive loss: pairs of one class are pulled together, others pushed apart up to a margin."""

from __future__ import annotations

from torch import Tensor


def contrastive(first: Tensor, second: Tensor, same: Tensor, margin: float = 1.0) -> Tensor:
    """Mean over pairs of `d^2 / 2` where they are of one class and `max(0, margin - d)^2 / 2` where not.

    Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping", CVPR 2006.

    Args:
        first: `(P, D)`.
        second: `(P, D)`.
        same: bool `(P,)`, whether a pair is of one class.
        margin: distance from which two classes are apart enough.

    Returns:
        scalar.

    Example:
        >>> import torch
        >>> first, second = torch.zeros(2, 3), torch.tensor([[0.5, 0, 0], [0.5, 0, 0]])
        >>> contrastive(first, second, torch.tensor([True, False]), margin=1.5)
        tensor(0.3125)
    """
    square = (first - second).square().sum(1)
    # A root has no derivative at 0, where a pair is two copies of one picture.
    distance = square.clamp(min=1e-12).sqrt()
    apart = (margin - distance).clamp(min=0).square()
    return square.where(same, apart).mean() / 2
