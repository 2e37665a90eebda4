"""Checkpoints written by many ranks at once, into one file that does not show how many there were.

The file is a common safetensors file that holds each tensor whole. Of a tensor split by class every rank writes its
own rows at their place and later reads any others, so that no rank ever holds the whole, and a training may go on with
another number of ranks. All ranks must see the same file system.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from mien.errors import BadInputError
from mien.media.files import shown, unwritable
from mien.training.sharded.sharded_classifier import ShardedClassifier
from mien.training.sharded.sharding import ClassRange, Group, max_over_ranks, rank_of

_SLICE_BYTES = 1 << 24
_DTYPES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def sliced_names(module: nn.Module, tensors: Mapping[str, Tensor]) -> set[str]:
    """Which tensors of a training are rows of this rank's classes alone: weights, and what an optimizer keeps of them.

    Args:
        module: what is trained, with one `ShardedClassifier` or several of equal range in it.
        tensors: by names in which that of a parameter stands, as `training_state.collect` gives them.
    """
    found = set()
    for prefix, part in module.named_modules():
        if isinstance(part, ShardedClassifier):
            for parameter, value in part.named_parameters(recurse=False):
                full = f"{prefix}.{parameter}" if prefix else parameter
                found |= {
                    name
                    for name, tensor in tensors.items()
                    if full == name.partition(":")[0].partition(".")[2] and tensor.shape[:1] == value.shape[:1]
                }
    return found


def save(
    path: Path,
    tensors: Mapping[str, Tensor],
    state: Mapping[str, Any],
    *,
    sliced: Collection[str],
    shard: ClassRange,
    group: Group = None,
) -> None:
    """Write a checkpoint; every rank must call it. The file has its name only when it is whole and on the disk.

    Args:
        path: the same on every rank.
        tensors: of the same names on every rank. Those in `sliced` are `(classes of this rank, ...)`; the others are
            the same on every rank, and the first one's are written.
        state: what JSON can hold; the first rank's is written.
        sliced: names.
        shard: this rank's classes.
        group: process group.

    Raises:
        UsageError: `file_unwritable`, on every rank when one cannot write.
    """
    # The widest first, as the format's own writer does, so that every tensor lies aligned.
    names = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    device = next((tensors[name].device for name in sliced), torch.device("cpu"))
    layout = {
        name: (tensors[name].dtype, ((shard.classes,) if name in sliced else ()) + _tail(tensors[name], name in sliced))
        for name in names
    }
    header, places = _header(layout, {"state": json.dumps(state), "sliced": json.dumps(sorted(sliced))})
    temporary = path.with_name(f".{path.name}.part")
    is_first = rank_of(group) == 0

    def reserve() -> None:
        if is_first:
            with temporary.open("wb") as file:
                file.write(header)
                file.truncate(len(header) + max((end for _, end in places.values()), default=0))

    def fill() -> None:
        with temporary.open("r+b") as file:
            for name in names:
                start, end = places[name]
                if name in sliced:
                    start += (end - start) // shard.classes * shard.first
                elif not is_first:
                    continue
                file.seek(len(header) + start)
                for piece in _bytes_of(tensors[name]):
                    file.write(piece)
            file.flush()
            os.fsync(file.fileno())

    def publish() -> None:
        if is_first:
            temporary.replace(path)
            if os.name != "nt":  # Windows opens no folders
                folder = os.open(path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)

    for act in (reserve, fill, publish):
        _together(act, path, device, group)


def load(path: Path, shard: ClassRange) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What one rank of any number needs of a checkpoint: its rows of the tensors split by class, the others whole.

    Raises:
        BadInputError: `checkpoint_damaged`; `checkpoint_other_model`: it holds another number of classes.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            sliced = set(json.loads(metadata.get("sliced", "[]")))
            tensors = {}
            for name in file.keys():  # noqa: SIM118 - it is no dict
                if name not in sliced:
                    tensors[name] = file.get_tensor(name)
                    continue
                rows = file.get_slice(name)
                _check_classes(path, name, rows.get_shape()[0], shard.classes)
                tensors[name] = rows[shard.first : shard.last]
            return tensors, json.loads(metadata.get("state", "{}"))
    except (OSError, ValueError, SafetensorError) as error:
        raise BadInputError(
            f"{shown(path)}: is no whole safetensors file ({error}); take another checkpoint", code="checkpoint_damaged"
        ) from error


def _check_classes(path: Path, name: str, found: int, expected: int) -> None:
    if found != expected:
        raise BadInputError(
            f"{shown(path)}: {name} has {found} classes, the classifier {expected}; "
            "take a checkpoint of a training on the same identities",
            code="checkpoint_other_model",
        )


def _together(act: Callable[[], None], path: Path, device: torch.device, group: Group) -> None:
    """Run a step on every rank; where one fails all raise, instead of waiting for it for ever."""
    failure: Exception | None = None
    try:
        act()
    except OSError as error:
        failure = error
    failed = max_over_ranks(torch.tensor([int(failure is not None)], device=device), group)
    if failure is not None:
        raise unwritable(path, failure) from failure
    if failed.item():
        raise unwritable(path, OSError("another rank could not write its part"))


def _tail(tensor: Tensor, is_sliced: bool) -> tuple[int, ...]:
    return tuple(tensor.shape[1:] if is_sliced else tensor.shape)


def _header(
    layout: Mapping[str, tuple[torch.dtype, tuple[int, ...]]], metadata: Mapping[str, str]
) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """The start of a safetensors file, and where in the rest of it each tensor lies."""
    places, entries, end = {}, {}, 0
    for name, (dtype, shape) in layout.items():
        start, end = end, end + dtype.itemsize * torch.Size(shape).numel()
        places[name] = start, end
        entries[name] = {"dtype": _DTYPES[dtype], "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps({"__metadata__": dict(metadata), **entries}).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text, places


def _bytes_of(tensor: Tensor) -> Iterator[memoryview]:
    """A tensor's bytes, in pieces that are small even where the tensor is not."""
    flat = tensor.detach().reshape(-1)
    step = max(1, _SLICE_BYTES // tensor.element_size())
    for start in range(0, len(flat), step):
        yield flat[start : start + step].cpu().view(torch.uint8).numpy().data
