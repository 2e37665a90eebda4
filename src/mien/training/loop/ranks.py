"""Which of several processes this is: torchrun says so in the environment, and one process alone needs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from mien.errors import MissingError


@dataclass(frozen=True)
class Ranks:
    """This process among its peers.

    Attributes:
        rank: 0 to count - 1; 0 writes the files.
        count: processes in all, over all hosts.
        device: where this one computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this one writes the files."""
        return self.rank == 0

    def wait(self) -> None:
        """Until all have come here."""
        if self.count > 1:
            dist.barrier()


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """Join the processes that torchrun started (NCCL on GPUs, Gloo otherwise), or be alone.

    Args:
        device: `auto`, `cpu` or `cuda`.

    Raises:
        MissingError: `gpu_missing`: `cuda` is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise MissingError(
            'loop.device = "cuda", but PyTorch sees no GPU; install a PyTorch with CUDA and its driver, or set '
            'loop.device = "cpu"',
            code="gpu_missing",
        )
    on_gpu = has_gpu and device != "cpu"
    count = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    where = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(where)
    if count == 1:
        yield Ranks(0, 1, where)
        return
    dist.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size(), where)
    finally:
        dist.destroy_process_group()
