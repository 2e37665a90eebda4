"""What a classifier does to its cosines before the softmax: the base of every margin head.

The logits of one picture are

    scale * target(cosine of its own class)         for its own class, and
    scale * others(cosine, target(...))             for every other class,

so a head is told by two elementwise functions. Nothing in them needs all classes at once: the same head works on a
full layer (`Head.forward`, by automatic differentiation) and on a shard of the classes
(`mien.training.sharded.sharded_classifier`, where the cosine of the own class may come from another rank).
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from mien.errors import UsageError


class Head(nn.Module):
    """A softmax over scaled cosines without any margin; heads override `target`, `others` and `observe`.

    Attributes:
        normalized: features and class weights are made unit vectors and there is no bias; False only for the plain
            softmax, whose "cosines" are then inner products plus the bias.
        scale: what the logits are multiplied with.
    """

    normalized: ClassVar[bool] = True

    def __init__(self, scale: float) -> None:
        super().__init__()
        if not scale > 0:
            raise UsageError(f"the scale of a head must be above 0, not {scale}", code="bad_scale")
        self.scale = scale

    def observe(self, cosine: Tensor, norm: Tensor) -> None:
        """Update running statistics, once a training step and before `target`.

        Args:
            cosine: `(B,)`, of every picture's own class; no gradient.
            norm: `(B,)`, lengths of the features before normalization; no gradient.
        """

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """The own class's value, differentiable in the cosine.

        Args:
            cosine: `(B,)`, may leave [-1, 1] by rounding.
            norm: `(B,)`, lengths of the features before normalization; no gradient.

        Returns:
            `(B,)`.
        """
        return cosine

    def others(self, cosine: Tensor, target: Tensor) -> Tensor:
        """The other classes' values, elementwise and differentiable in the cosine.

        Args:
            cosine: any shape.
            target: what `target` returned for the same pictures, broadcastable to `cosine`; no gradient.

        Returns:
            as `cosine`; the very same tensor where a head leaves the other classes alone.
        """
        return cosine

    def forward(self, cosine: Tensor, column: Tensor, norm: Tensor, target_cosine: Tensor | None = None) -> Tensor:
        """Logits of all classes at hand.

        Args:
            cosine: `(B, C)`.
            column: int64 `(B,)`, where the picture's class is among the `C`, -1 where it is not.
            norm: `(B,)`, lengths of the features before normalization.
            target_cosine: `(B,)`, of the pictures' own classes; may be left out where every class is at hand.

        Returns:
            `(B, C)`, for `cross_entropy`.

        Example:
            >>> import torch
            >>> head = Head(scale=10.0)
            >>> head(torch.tensor([[0.5, 0.25]]), torch.tensor([0]), torch.ones(1))
            tensor([[5.0000, 2.5000]])
        """
        here = (column >= 0).nonzero()[:, 0]
        own = here, column[here]
        if target_cosine is None:
            target_cosine = cosine[own]
        norm = norm.detach()
        if self.training:
            self.observe(target_cosine.detach(), norm)
        target = self.target(target_cosine, norm)
        logits = self.scale * self.others(cosine, target.detach()[:, None])
        return logits.index_put_(own, self.scale * target[here])
