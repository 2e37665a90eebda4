"""SGD with momentum that touches only the rows that have a gradient, and makes no copy of anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from mien.errors import UsageError


class RowSGD(Optimizer):
    """SGD for the weights of a sharded classifier.

    With a dense gradient it is `torch.optim.SGD`. With a sparse one, as a sampled classifier gives, the rows without
    a gradient stay as they are, their momentum included: no decay, no drift (Partial FC does the same).
    The weight decay is added to `.grad` in place, so that nothing of the weight's size is allocated but the momentum.

    Args:
        params: parameters or groups of them.
        lr: learning rate.
        momentum: 0 for none.
        weight_decay: L2 penalty.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.9,
        weight_decay: float = 0.0,
    ) -> None:
        for name, value in (("lr", lr), ("momentum", momentum), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise UsageError(f"{name} must not be negative, but is {value}", code="bad_optimizer")
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, group)
        return loss

    def _update(self, parameter: Tensor, group: dict[str, Any]) -> None:
        gradient = parameter.grad
        assert gradient is not None
        if group["momentum"] and "momentum_buffer" not in self.state[parameter]:
            self.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        velocity = self.state[parameter].get("momentum_buffer")
        if not gradient.is_sparse:
            _dense_step(parameter, gradient, velocity, group)
            return
        gradient = gradient.coalesce()
        rows = gradient.indices()[0]
        some, some_velocity = parameter[rows], None if velocity is None else velocity[rows]
        _dense_step(some, gradient.values(), some_velocity, group)
        parameter[rows] = some
        if velocity is not None:
            velocity[rows] = some_velocity


def _dense_step(weight: Tensor, gradient: Tensor, velocity: Tensor | None, group: dict[str, Any]) -> None:
    if group["weight_decay"]:
        gradient.add_(weight, alpha=group["weight_decay"])
    if velocity is not None:
        gradient = velocity.mul_(group["momentum"]).add_(gradient)
    weight.add_(gradient, alpha=-group["lr"])
