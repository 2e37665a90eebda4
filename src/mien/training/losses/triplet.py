"""Triplet losses over a batch of P identities x K pictures.

Hermans, Beyer, Leibe, "In defense of the triplet loss for person re-identification", arXiv 1703.07737.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.losses.pairs import check_batch, distances, same_class


def batch_hard(features: Tensor, labels: Tensor, margin: float | None = 0.3) -> Tensor:
    """Each picture with the furthest of its class and the nearest of another.

    Args:
        features: `(B, D)`; distances are Euclidean.
        labels: int64 `(B,)`.
        margin: by which the other class is to be further away; None for the soft margin `log(1 + exp(.))`.

    Returns:
        scalar, the mean over pictures that have both, 0 where none has.

    Raises:
        BadInputError: `batch_mismatch`.

    Example:
        >>> features = torch.tensor([[0.0], [1.0], [1.2], [3.0]])
        >>> batch_hard(features, torch.tensor([0, 0, 1, 1]), margin=0.5)
        tensor(1.0000)
    """
    check_batch(features, labels)
    same, other = same_class(labels)
    distance = distances(features, features)
    furthest = distance.masked_fill(~same, -torch.inf).amax(1)
    nearest = distance.masked_fill(~other, torch.inf).amin(1)
    has_both = same.any(1) & other.any(1)
    each = _pay(furthest[has_both] - nearest[has_both], margin)
    return each.sum() / max(len(each), 1)


def batch_all(features: Tensor, labels: Tensor, margin: float | None = 0.3) -> Tensor:
    """All triplets of the batch, averaged over those that cost something.

    Most triplets soon cost nothing, and a mean over all of them would vanish with them.

    Args:
        features: `(B, D)`; distances are Euclidean.
        labels: int64 `(B,)`.
        margin: as in `batch_hard`; with the soft margin every triplet costs something.

    Returns:
        scalar, 0 where no triplet costs anything.

    Raises:
        BadInputError: `batch_mismatch`.

    Example:
        >>> features = torch.tensor([[0.0], [1.0], [1.2], [3.0]])
        >>> batch_all(features, torch.tensor([0, 0, 1, 1]), margin=0.5)
        tensor(1.0200)
    """
    check_batch(features, labels)
    same, other = same_class(labels)
    distance = distances(features, features)
    anchor, positive = same.nonzero(as_tuple=True)
    difference = distance[anchor, positive][:, None] - distance[anchor]
    each = _pay(difference[other[anchor]], margin)
    return each.sum() / max(int((each > 0).sum()), 1)


def _pay(difference: Tensor, margin: float | None) -> Tensor:
    return functional.softplus(difference) if margin is None else (difference + margin).clamp(min=0)
