"""Pictures against one remembered vector a cluster.

Dai et al., "Cluster Contrast for Unsupervised Person Re-Identification", ACCV 2022: the memory holds a centroid a
cluster instead of a feature a picture, so that all pictures of a cluster are compared with the same state of it.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NOBODY = -1
"""The cluster of a picture that belongs to none: it teaches nothing and is not remembered."""


def cluster_contrast(features: Tensor, memory: Tensor, cluster: Tensor, temperature: float = 0.05) -> Tensor:
    """InfoNCE over the clusters: -log of the softmax of cosine / temperature at the picture's own cluster.

    Args:
        features: `(B, D)`, of any length.
        memory: `(C, D)`, L2-normalized; no gradient flows into it.
        cluster: int64 `(B,)`, in [0, C) or `NOBODY`.
        temperature: > 0.

    Returns:
        Scalar, the mean over the pictures that have a cluster; 0 where none has.
    """
    known = cluster != NOBODY
    if not known.any():
        return features.sum() * 0
    logits = functional.normalize(features[known]) @ memory.detach().T / temperature
    return functional.cross_entropy(logits, cluster[known])


@torch.no_grad()
def remember(memory: Tensor, features: Tensor, cluster: Tensor, momentum: float = 0.1) -> None:
    """Move the memory towards the features of a batch, one picture after the other:
    `memory[c] = normalized(momentum * memory[c] + (1 - momentum) * normalized(feature))`.

    Args:
        memory: `(C, D)`, L2-normalized; changed in place.
        features: `(B, D)`, of any length.
        cluster: int64 `(B,)`, in [0, C) or `NOBODY`.
        momentum: share in [0, 1] that stays.
    """
    for feature, number in zip(functional.normalize(features), cluster.tolist(), strict=True):
        if number != NOBODY:
            memory[number] = functional.normalize(momentum * memory[number] + (1 - momentum) * feature, dim=0)


def centroids(features: Tensor, cluster: Tensor, count: int) -> Tensor:
    """The normalized mean feature of each cluster.

    Args:
        features: `(N, D)`, L2-normalized.
        cluster: int64 `(N,)`, in [0, count) or `NOBODY`; every cluster has a picture.

    Returns:
        `(count, D)`.
    """
    known = cluster != NOBODY
    sums = features.new_zeros(count, features.shape[1])
    return functional.normalize(sums.index_add(0, cluster[known], features[known]))
