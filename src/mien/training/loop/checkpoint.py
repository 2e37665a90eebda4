"""Checkpoints: tensors and a state in one safetensors file that is there whole or not at all."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from mien.errors import BadInputError
from mien.media.files import replacing, shown, unwritable

_log = logging.getLogger("mien.training.loop.checkpoint")

_PATTERN = "step-*.safetensors"


def save(path: Path, tensors: Mapping[str, torch.Tensor], state: Mapping[str, Any]) -> None:
    """Write a file of tensors with a JSON state in its header; synced to the disk before it gets its name.

    Raises:
        UsageError: `file_unwritable`.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with replacing(path) as temporary:
            save_file(_apart(plain), temporary, metadata={"state": json.dumps(state)})
            _sync(temporary)
        _sync(path.parent)
    except (OSError, SafetensorError) as error:
        raise unwritable(path, error if isinstance(error, OSError) else OSError(str(error))) from error


def load(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors, on the CPU, and the state.

    Raises:
        BadInputError: `checkpoint_damaged`.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            return tensors, json.loads((file.metadata() or {}).get("state", "{}"))
    except (OSError, ValueError, SafetensorError) as error:
        raise BadInputError(
            f"{shown(path)}: is no whole safetensors file ({error}); take another checkpoint", code="checkpoint_damaged"
        ) from error


def start_from(network: nn.Module, path: Path) -> int:
    """Give a network the tensors of a file, where name and shape agree; how many did is returned and logged.

    Raises:
        BadInputError: `checkpoint_damaged`; `checkpoint_other_model`: none agrees.
    """
    tensors, _ = load(path)
    mine = network.state_dict()
    fitting = {name: value for name, value in tensors.items() if name in mine and mine[name].shape == value.shape}
    if not fitting:
        raise BadInputError(
            f"{shown(path)}: holds no tensor that fits the network; take the weights of a network of this kind",
            code="checkpoint_other_model",
        )
    network.load_state_dict(fitting, strict=False)
    _log.info("%s: %d of %d tensors start from it", shown(path), len(fitting), len(mine))
    return len(fitting)


def checkpoint_path(folder: Path, step: int) -> Path:
    """The file of the checkpoint after `step` steps."""
    return folder / f"step-{step:09d}.safetensors"


def newest(folder: Path) -> Path | None:
    """The checkpoint with the most steps, or None."""
    return max(folder.glob(_PATTERN), default=None)


def keep_newest(folder: Path, count: int) -> None:
    """Remove all but the last `count` checkpoints."""
    for old in sorted(folder.glob(_PATTERN))[:-count]:
        old.unlink(missing_ok=True)


def _apart(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tied weights share memory, which the format refuses; each gets its own."""
    seen: set[int] = set()
    result = {}
    for name, tensor in tensors.items():
        place = tensor.untyped_storage().data_ptr()
        result[name] = tensor.clone() if place in seen else tensor
        seen.add(place)
    return result


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":  # Windows opens no folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
