"""The objects of one training, made from its recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mien.errors import BadInputError, UsageError
from mien.training.data.pictures import Samples
from mien.training.data.samplers import Sampler
from mien.training.loop import checkpoint
from mien.training.loop.ema import Average
from mien.training.loop.ranks import Ranks
from mien.training.loop.schedule import Schedule, constant
from mien.training.parts import build
from mien.training.recipe import Recipe
from mien.training.sharded.sharded_classifier import ShardedClassifier
from mien.training.sharded.sharding import ClassRange

Evaluation = Callable[[nn.Module], dict[str, float]]


@dataclass
class Setup:
    """What a training works with; the recipe's parts are as `mien.training.loop.trainer` describes them.

    Attributes:
        forward: the task, wrapped where several ranks share the work.
        average: of the network, or None.
        shard: the classes of this rank, where the task has a classifier that is split over the ranks.
    """

    recipe: Recipe
    ranks: Ranks
    data: Samples
    sampler: Sampler
    network: nn.Module
    task: nn.Module
    forward: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    evaluation: Evaluation | None
    average: Average | None
    scaler: torch.amp.GradScaler
    shard: ClassRange | None

    @property
    def result(self) -> nn.Module:
        """The network that is evaluated and kept."""
        return self.average.network if self.average else self.network


def set_up(recipe: Recipe, ranks: Ranks) -> Setup:
    """Make everything, with weights that follow from the seed.

    Raises:
        BadInputError: `split_forbidden`, and what the parts raise.
        UsageError: `batch_uneven`.
    """
    torch.manual_seed(recipe.seed)
    offered: dict[str, Any] = {"seed": recipe.seed, "epochs": recipe.epochs, "input_format": recipe.input}
    data = offered["data"] = build(recipe.data, "data", **offered)
    if data.forbidden is not None:
        raise BadInputError(f"data: this must not be trained on: {data.forbidden}", code="split_forbidden")
    sampler = build(recipe.sampler, "sampler", **offered)
    _check_batch(sampler.batch, ranks.count, recipe.loop.accumulate)
    network = offered["network"] = build(recipe.network, "network", **offered)
    if recipe.start_from is not None:
        checkpoint.start_from(network, Path(recipe.start_from))
    task: nn.Module = build(recipe.task, "task", **offered).to(ranks.device)
    if recipe.loop.channels_last:
        task.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # its stub has forgotten this one
    return Setup(
        recipe=recipe,
        ranks=ranks,
        data=data,
        sampler=sampler,
        network=network,
        task=task,
        optimizer=build(recipe.optimizer, "optimizer", **offered, module=task),
        schedule=build(recipe.schedule, "schedule", **offered) if recipe.schedule else constant,
        evaluation=build(recipe.evaluation, "evaluation", **offered) if recipe.evaluation else None,
        average=Average(network, recipe.loop.ema) if recipe.loop.ema else None,
        scaler=torch.amp.GradScaler(ranks.device.type, enabled=recipe.loop.precision == "float16"),
        forward=task if ranks.count == 1 else _shared(task),
        shard=next((part.shard for part in task.modules() if isinstance(part, ShardedClassifier)), None),
    )


def shared_parameters(task: nn.Module) -> list[nn.Parameter]:
    """Those that are the same on every rank: all but the rows of sharded classifiers."""
    sharded = _sharded_names(task)
    return [parameter for name, parameter in task.named_parameters() if name not in sharded]


def _shared(task: nn.Module) -> nn.Module:
    names = sorted(_sharded_names(task))
    DistributedDataParallel._set_params_and_buffers_to_ignore_for_model(task, names)  # type: ignore[no-untyped-call]
    return DistributedDataParallel(task)


def _sharded_names(task: nn.Module) -> set[str]:
    return {
        f"{prefix}.{name}" if prefix else name
        for prefix, part in task.named_modules()
        if isinstance(part, ShardedClassifier)
        for name, _ in part.named_parameters(recurse=False)
    }


def _check_batch(batch: int, ranks: int, accumulate: int) -> None:
    if batch % (ranks * accumulate):
        raise UsageError(
            f"a batch of {batch} cannot be cut into {ranks * accumulate} equal pieces ({ranks} ranks x "
            f"loop.accumulate = {accumulate}); change one of them",
            code="batch_uneven",
        )
