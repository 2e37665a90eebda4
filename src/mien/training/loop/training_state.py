"""All that a training is after so many steps, as named tensors and a few numbers, and back again.

Optimizer state is kept under the parameters' names, so that it does not depend on their order or on the number of
ranks. What a generator would hold is not here: order, augmentation and dropout follow from seed and step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from mien.errors import BadInputError
from mien.training.loop import checkpoint
from mien.training.loop.setup import Setup
from mien.training.sharded import sharded_checkpoint

_TASK, _AVERAGE, _OPTIMIZER = "task.", "average.", "optimizer."
_KEPT = 2


def save_training(setup: Setup, folder: Path, step: int) -> None:
    """Write a checkpoint and remove those before the last two; every rank must call it.

    Raises:
        UsageError: `file_unwritable`.
    """
    tensors, state = collect(setup)
    path, state = checkpoint.checkpoint_path(folder, step), {"step": step, **state}
    if setup.shard is not None:
        sliced = sharded_checkpoint.sliced_names(setup.task, tensors)
        sharded_checkpoint.save(path, tensors, state, sliced=sliced, shard=setup.shard)
    elif setup.ranks.is_first:
        checkpoint.save(path, tensors, state)
    if setup.ranks.is_first:
        checkpoint.keep_newest(folder, _KEPT)
    setup.ranks.wait()


def restore_training(setup: Setup, folder: Path) -> int:
    """Put the newest checkpoint into place.

    Returns:
        Its step, 0 where there is none.

    Raises:
        BadInputError: `checkpoint_damaged`, `checkpoint_other_model`.
    """
    path = checkpoint.newest(folder)
    if path is None:
        return 0
    tensors, state = sharded_checkpoint.load(path, setup.shard) if setup.shard else checkpoint.load(path)
    restore(setup, tensors, state)
    return int(state["step"])


def collect(setup: Setup) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Tensors by name, and a state that JSON can hold."""
    tensors = {_TASK + name: value for name, value in setup.task.state_dict().items()}
    if setup.average is not None:
        tensors |= {_AVERAGE + name: value for name, value in setup.average.network.state_dict().items()}
    for name, values in _slots(setup):
        tensors |= {f"{_OPTIMIZER}{name}:{slot}": value for slot, value in values.items()}
    average_steps = setup.average.steps if setup.average else 0
    return tensors, {"average_steps": average_steps, "scaler": setup.scaler.state_dict()}


def restore(setup: Setup, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> None:
    """Put everything back where `collect` found it.

    Raises:
        BadInputError: `checkpoint_other_model`: the tensors are of another network or task.
    """
    try:
        setup.task.load_state_dict(_below(tensors, _TASK))
        if setup.average is not None:
            setup.average.network.load_state_dict(_below(tensors, _AVERAGE))
            setup.average.steps = state["average_steps"]
    except RuntimeError as error:
        raise BadInputError(
            f"the checkpoint is of another network or task: {error}", code="checkpoint_other_model"
        ) from error
    parameters = dict(setup.task.named_parameters())
    for full, value in _below(tensors, _OPTIMIZER).items():
        name, _, slot = full.rpartition(":")
        setup.optimizer.state[parameters[name]][slot] = _placed(value, parameters[name])
    setup.scaler.load_state_dict(state["scaler"])


def _slots(setup: Setup) -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
    for name, parameter in setup.task.named_parameters():
        values = setup.optimizer.state.get(parameter, {})
        tensors = {slot: value for slot, value in values.items() if isinstance(value, torch.Tensor)}
        if tensors:
            yield name, tensors


def _below(tensors: Mapping[str, torch.Tensor], beginning: str) -> dict[str, torch.Tensor]:
    return {name[len(beginning) :]: value for name, value in tensors.items() if name.startswith(beginning)}


def _placed(value: torch.Tensor, parameter: torch.Tensor) -> torch.Tensor:
    """On the parameter's device and with its strides; a counter stays where optimizers keep it, on the CPU."""
    return value if value.shape != parameter.shape else torch.empty_like(parameter, dtype=value.dtype).copy_(value)
