"""Circle loss: each similarity of a batch is pushed with a strength of its own."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from mien.training.losses.pairs import check_batch, same_class


def circle(features: Tensor, labels: Tensor, scale: float = 128.0, relaxation: float = 0.25) -> Tensor:
    """`log(1 + sum exp(scale a_n (s_n - m)) * sum exp(-scale a_p (s_p - 1 + m)))` of each picture.

    Sun, Cheng, Zhang, Zhang, Zheng, Wang, Wei, "Circle loss: a unified perspective of pair similarity optimization",
    CVPR 2020; pairs of the batch, the weights `a_p = max(0, 1 + m - s_p)` and `a_n = max(0, s_n + m)` without
    gradient. The paper has a scale of 256 for faces, 128 for persons.

    Args:
        features: `(B, D)`; similarities are cosines.
        labels: int64 `(B,)`.
        scale: the paper's gamma.
        relaxation: the paper's m.

    Returns:
        scalar, the mean over pictures that have one of their class and one of another beside them, 0 where none has.

    Raises:
        BadInputError: `batch_mismatch`.

    Example:
        >>> features = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
        >>> circle(features, torch.tensor([0, 1, 0, 1]), scale=1.0, relaxation=0.5)
        tensor(0.7944)
    """
    check_batch(features, labels)
    same, other = same_class(labels)
    features = functional.normalize(features)
    similarity = features @ features.t()
    fixed = similarity.detach()
    to_same = -scale * (1 + relaxation - fixed).clamp(min=0) * (similarity - (1 - relaxation))
    to_other = scale * (fixed + relaxation).clamp(min=0) * (similarity - relaxation)
    has_both = same.any(1) & other.any(1)
    each = functional.softplus(
        to_same.masked_fill(~same, -torch.inf)[has_both].logsumexp(1)
        + to_other.masked_fill(~other, -torch.inf)[has_both].logsumexp(1)
    )
    return each.sum() / max(len(each), 1)
