"""Softmax loss with label smoothing."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def smoothed_cross_entropy(logits: Tensor, labels: Tensor, smoothing: float = 0.1) -> Tensor:
    """Cross entropy with a target of `1 - smoothing` at the class plus `smoothing / C` at each of all C.

    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture for computer vision", CVPR 2016.
    (Some implementations for re-identification leave the class itself out of what is spread.)

    Args:
        logits: `(B, C)`.
        labels: int64 `(B,)`.
        smoothing: 0 to 1.

    Returns:
        scalar, mean over the batch.

    Example:
        >>> import torch
        >>> smoothed_cross_entropy(torch.tensor([[2.0, 0.0]]), torch.tensor([0]), smoothing=0.5)
        tensor(0.6269)
    """
    return functional.cross_entropy(logits, labels, label_smoothing=smoothing)
