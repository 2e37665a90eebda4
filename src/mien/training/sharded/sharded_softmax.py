"""The softmax loss of a classifier split by class, forwards and backwards in one buffer.

The largest thing that a classifier of many classes makes is not its weight but its activations: cosines, logits,
probabilities and their gradient are pictures x classes each. Here they are written over one another in a single
buffer, and all that works on it, the normalization of the weight included, works on a slab of classes at a time.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mien.training.heads.head import Head
from mien.training.sharded.class_rows import ClassRows
from mien.training.sharded.sharding import Group, max_over_ranks, sum_over_ranks


class ShardedSoftmax(torch.autograd.Function):
    """`-log softmax` at each picture's own class; called by `mien.training.sharded.sharded_classifier`.

    Args of `apply`:
        features: `(B, D)` of the whole batch, the same on every rank, unit vectors for a head on cosines.
        weight: `(C, D)`, this rank's classes.
        bias: `(C,)` or None.
        rows: int64 `(K,)`, the rows of `weight` that take part, sorted; None for all.
        column: int64 `(B,)`, which of the rows that take part is the picture's class, -1 where another rank has it.
        norm: `(B,)`, lengths of the features before normalization.
        head: margin.
        product_dtype: of the matrix products; margins, sums and exponentials have the features' own.
        group: process group.

    Returns:
        `(B,)`, the same on every rank. Backwards, which can be done once, the gradient of the features is summed over
        the ranks; that of weight and bias is dense, or sparse with `rows`.
    """

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        rows: Tensor | None,
        column: Tensor,
        norm: Tensor,
        head: Head,
        product_dtype: torch.dtype,
        group: Group,
    ) -> Tensor:
        shard = ClassRows(weight, bias, rows, head.normalized)
        cosine = sum_over_ranks(shard.cosine_at(column, features), group)
        if head.training:
            head.observe(cosine, norm)
        target, target_slope = _target(head, cosine, norm)

        batch = features.to(product_dtype).t()
        buffer = features.new_empty(len(shard), len(features))
        largest = features.new_full((len(features),), -torch.inf)
        for slab in shard.slabs(len(features)):
            buffer[slab] = shard.unit(slab)[0].to(product_dtype) @ batch
            if bias is not None:
                buffer[slab] += shard.bias_of(slab)[:, None]
            value = _place(head.others(buffer[slab], target[None]), column, slab, target)
            torch.maximum(largest, value.amax(0), out=largest)
        max_over_ranks(largest, group)

        total = torch.zeros_like(largest)
        for slab in shard.slabs(len(features)):
            value, slope = _others(head, buffer[slab], target)
            exponential = _place(value, column, slab, target).sub_(largest).mul_(head.scale).exp_()
            total += exponential.sum(0)
            if slope is not None:
                torch.mul(exponential, slope, out=buffer[slab])
        sum_over_ranks(total, group)

        difference = head.scale * (target - largest)
        ctx.save_for_backward(features, weight, total, (difference.exp() / total - 1) * target_slope, column)
        ctx.shard, ctx.buffer, ctx.scale = shard, buffer, head.scale
        ctx.product_dtype, ctx.group = product_dtype, group
        return total.log() - difference

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        features, weight, total, target_gradient, column = ctx.saved_tensors
        shard, buffer, dtype = ctx.shard, ctx.buffer, ctx.product_dtype
        if buffer is None:
            raise RuntimeError("the first backward pass wrote over the probabilities: there is no second one")
        ctx.buffer = None
        factor = ctx.scale * gradients[0]
        unit_of_gradient = _unit_of_gradient(factor, dtype)
        factor = factor / unit_of_gradient
        share, own = factor / total, factor * target_gradient

        batch = features.to(dtype)
        feature_gradient = torch.zeros_like(features)
        weight_gradient = weight.new_empty(len(shard), weight.shape[1])
        bias_gradient = None if shard.bias is None else shard.bias.new_empty(len(shard))
        for slab in shard.slabs(len(features)):
            gradient = _place(buffer[slab].mul_(share), column, slab, own)
            if bias_gradient is not None:
                bias_gradient[slab] = gradient.sum(1) * unit_of_gradient
            unit, length = shard.unit(slab)
            gradient = gradient.to(dtype)
            feature_gradient += gradient.t() @ unit.to(dtype)
            part = torch.mul(gradient @ batch, unit_of_gradient, out=weight_gradient[slab])
            if length is not None:
                part.addcmul_(unit, (part * unit).sum(1, keepdim=True), value=-1).div_(length)
        sum_over_ranks(feature_gradient.mul_(unit_of_gradient), ctx.group)
        spread = shard.spread(weight_gradient), None if bias_gradient is None else shard.spread(bias_gradient)
        return feature_gradient, *spread, None, None, None, None, None, None


def _target(head: Head, cosine: Tensor, norm: Tensor) -> tuple[Tensor, Tensor]:
    """The own classes' values `(B,)` and their derivatives."""
    with torch.enable_grad():
        variable = cosine.detach().requires_grad_()
        value = head.target(variable, norm)
        (slope,) = torch.autograd.grad(value.sum(), variable)
    return value.detach(), slope


def _others(head: Head, cosine: Tensor, target: Tensor) -> tuple[Tensor, Tensor | None]:
    """The other classes' values and their derivatives; `cosine` itself and None where the head leaves them alone."""
    with torch.enable_grad():
        variable = cosine.detach().requires_grad_()
        value = head.others(variable, target[None])
        if value is variable:
            return cosine, None
        (slope,) = torch.autograd.grad(value.sum(), variable)
    return value.detach(), slope


def _place(values: Tensor, column: Tensor, slab: slice, own: Tensor) -> Tensor:
    """Write `own` `(B,)` at each picture's own class into a slab `(n, B)`, in place, without asking the device."""
    row = column - slab.start
    index = row.clamp(0, len(values) - 1)[None]
    inside = (row >= 0) & (row < len(values))
    return values.scatter_(0, index, torch.where(inside, own, values.gather(0, index)[0])[None])


def _unit_of_gradient(factor: Tensor, dtype: torch.dtype) -> Tensor:
    """What gradients are counted in while they are multiplied: 1, or, for float16, a unit that keeps them in range.

    With it the entries are at most 8192 over the batch's size, so that even a batch of one class cannot overflow, and
    probabilities of 1e-6 are not yet zero. A loss scale thus changes nothing, and no rank overflows alone.
    """
    if dtype != torch.float16:
        return torch.ones_like(factor[:1])
    return (factor.abs().amax(0, keepdim=True) * (len(factor) / 8192)).clamp(min=torch.finfo(factor.dtype).tiny)
