"""Optimizers as a recipe names them: functions of the module that is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mien.errors import BadInputError
from mien.training.sharded.row_sgd import RowSGD

Group = dict[str, Any]


def adamw(
    module: nn.Module,
    learning_rate: float,
    weight_decay: float = 0.01,
    betas: tuple[float, float] = (0.9, 0.999),
    multipliers: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019); no decay on biases and normalization.

    Args:
        module: whose parameters are trained.
        learning_rate: before the schedule.
        weight_decay: for parameters with two dimensions or more.
        betas: decay of the two running means.
        multipliers: factor on the learning rate by the beginning of the parameters' names; 0 freezes them.
    """
    groups = _groups(module, learning_rate, weight_decay, multipliers)
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(betas[0], betas[1]))


def sgd(
    module: nn.Module,
    learning_rate: float,
    weight_decay: float = 5e-4,
    momentum: float = 0.9,
    multipliers: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """Stochastic gradient descent with momentum; no decay on biases and normalization.

    Classifiers of which a part is drawn for each step need this one: rows without a gradient stay as they are. The
    other arguments are those of `adamw`.
    """
    groups = _groups(module, learning_rate, weight_decay, multipliers)
    return RowSGD(groups, lr=learning_rate, momentum=momentum)


def muon(
    module: nn.Module,
    learning_rate: float = 0.02,
    weight_decay: float = 0.01,
    momentum: float = 0.95,
    other_learning_rate: float = 3e-3,
    multipliers: Mapping[str, float] | None = None,
) -> torch.optim.Optimizer:
    """Muon on the matrices, AdamW on everything else.

    A matrix is the weight of a linear layer or of a convolution without groups (seen as outputs x (inputs x kernel)),
    except in classifiers, whose rows stand for classes and not for directions: modules with `is_classifier = True`.

    Args:
        module: whose parameters are trained.
        learning_rate: for matrices, before the schedule; a step changes a matrix by about this much of a rotation.
        weight_decay: decoupled, for matrices of both kinds.
        momentum: of the matrices' gradients (Nesterov).
        other_learning_rate: of AdamW.
        multipliers: as `adamw`.
    """
    matrices = set(_matrix_names(module))
    groups = []
    for group in _groups(module, 1.0, weight_decay, multipliers):
        named = list(zip(group["names"], group["params"], strict=True))
        for is_matrix, rate in ((True, learning_rate), (False, other_learning_rate)):
            chosen = [(name, parameter) for name, parameter in named if (name in matrices) == is_matrix]
            if chosen:
                names, parameters = zip(*chosen, strict=True)
                groups.append(
                    group
                    | {"params": list(parameters), "names": list(names), "lr": rate * group["lr"], "muon": is_matrix}
                )
    return Muon(groups, momentum=momentum)


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are made orthogonal before each step (Jordan et al., "Muon", 2024).

    The update of a matrix `(n, m)` is scaled by sqrt(max(1, n / m)), as in the original; groups with `muon` False are
    stepped by AdamW (betas 0.9, 0.999).

    Args:
        groups: parameter groups with `lr`, `weight_decay` and `muon`.
        momentum: of the gradient, Nesterov.
    """

    def __init__(self, groups: Iterable[Group], momentum: float = 0.95) -> None:
        super().__init__(list(groups), {"momentum": momentum, "betas": (0.9, 0.999), "eps": 1e-8})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step from the gradients at hand."""
        for group in self.param_groups:
            move = self._move_matrix if group["muon"] else self._move_adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    move(parameter, group)

    def _move_matrix(self, parameter: Tensor, group: Group) -> None:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        gradient, average = _gradient(parameter), state["momentum"]
        average.lerp_(gradient, 1 - group["momentum"])
        direction = gradient.lerp(average, group["momentum"])
        matrix = direction.reshape(len(direction), -1)
        rows, columns = matrix.shape
        update = orthogonal(matrix).mul_(max(1.0, rows / columns) ** 0.5)
        parameter.sub_(update.view(direction.shape), alpha=group["lr"])

    def _move_adam(self, parameter: Tensor, group: Group) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["mean"], state["square"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        gradient, (first, second) = _gradient(parameter), group["betas"]
        state["step"] += 1
        count = float(state["step"])
        state["mean"].lerp_(gradient, 1 - first)
        state["square"].mul_(second).addcmul_(gradient, gradient, value=1 - second)
        scale = state["square"].sqrt().div_((1 - second**count) ** 0.5).add_(group["eps"])
        parameter.addcdiv_(state["mean"], scale, value=-group["lr"] / (1 - first**count))


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest matrix with orthonormal rows or columns, `(n, m)`: all singular values near 1.

    Five steps of the quintic Newton-Schulz iteration with the coefficients of Jordan et al.; singular values end in
    about [0.7, 1.2]. In bfloat16 on a GPU, float32 elsewhere.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.to(torch.bfloat16 if matrix.is_cuda else torch.float32)
    is_tall = x.shape[0] > x.shape[1]
    x = x.mT if is_tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x.mT if is_tall else x).to(matrix.dtype)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None  # `step` takes no others
    return parameter.grad


def _matrix_names(module: nn.Module) -> Iterable[str]:
    skipped = tuple(
        f"{name}." for name, inner in module.named_modules() if getattr(inner, "is_classifier", False) and name
    )
    for name, inner in module.named_modules():
        is_matrix = isinstance(inner, nn.Linear) or (
            isinstance(inner, nn.Conv1d | nn.Conv2d | nn.Conv3d) and inner.groups == 1
        )
        full = f"{name}.weight" if name else "weight"
        if is_matrix and not (skipped and full.startswith(skipped)):
            yield full


def _groups(
    module: nn.Module, learning_rate: float, weight_decay: float, multipliers: Mapping[str, float] | None
) -> list[Group]:
    """One group for each learning rate and decay; parameters with a multiplier of 0 are frozen and left out."""
    multipliers = dict(multipliers or {})
    used: set[str] = set()
    groups: dict[tuple[float, float], Group] = {}
    for name, parameter in module.named_parameters():
        beginnings = [beginning for beginning in multipliers if name.startswith(beginning)]
        used.update(beginnings)
        factor = multipliers[max(beginnings, key=len)] if beginnings else 1.0
        if factor == 0:
            parameter.requires_grad_(False)
        if not parameter.requires_grad:
            continue
        decay = weight_decay if parameter.ndim >= 2 else 0.0
        rate = learning_rate * factor
        group = groups.setdefault((rate, decay), {"params": [], "names": [], "lr": rate, "weight_decay": decay})
        group["params"].append(parameter)
        group["names"].append(name)
    unused = sorted(set(multipliers) - used)
    if unused:
        raise BadInputError(
            f"optimizer.multipliers: no parameter's name begins with {', '.join(unused)}; names look like "
            f"{next(iter(dict(module.named_parameters())), 'none')}",
            code="recipe_value",
        )
    if not groups:
        raise BadInputError("optimizer.multipliers: every parameter is frozen", code="recipe_value")
    return list(groups.values())
