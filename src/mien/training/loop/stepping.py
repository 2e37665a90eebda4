"""One step of a training: forward, backward, and the weights moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mien.errors import UsageError
from mien.training.data.loader import Batch
from mien.training.loop.setup import Setup, shared_parameters

_PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Stepper:
    """Makes steps; what is random in one follows from the seed, the step and the rank.

    Args:
        setup: the training's objects; the optimizer's learning rates are those before the schedule.
        steps: in all.
    """

    def __init__(self, setup: Setup, steps: int) -> None:
        self._setup, self._steps, self._loop = setup, steps, setup.recipe.loop
        self._rates = [group["lr"] for group in setup.optimizer.param_groups]
        self._clipped = shared_parameters(setup.task)

    def __call__(self, batch: Batch, step: int) -> dict[str, torch.Tensor]:
        """Make step `step` (from 0) with this rank's piece of a batch.

        Returns:
            The task's figures, scalars of this rank on its device, detached; `gradient_norm` where it is clipped.
        """
        setup, loop = self._setup, self._loop
        torch.manual_seed(_seed_of(setup.recipe.seed, step, setup.ranks.rank))
        factor = setup.schedule(step / setup.sampler.batches, setup.recipe.epochs)
        for group, rate in zip(setup.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * factor
        pieces = _cut(batch, loop.accumulate)
        total: dict[str, torch.Tensor] = {}
        for number, piece in enumerate(pieces):
            on_device = {name: value.to(setup.ranks.device, non_blocking=True) for name, value in piece.items()}
            with self._unsynced(number < len(pieces) - 1):
                with self._mixed():
                    figures = setup.forward(on_device, step / self._steps)
                setup.scaler.scale(figures["loss"] / len(pieces)).backward()
            for name, value in figures.items():
                total[name] = total.get(name, 0) + value.detach().float() / len(pieces)
        if loop.clip_norm:
            setup.scaler.unscale_(setup.optimizer)
            total["gradient_norm"] = nn.utils.clip_grad_norm_(self._clipped, loop.clip_norm)
        setup.scaler.step(setup.optimizer)
        setup.scaler.update()
        setup.optimizer.zero_grad(set_to_none=True)
        if setup.average is not None:
            setup.average.update(setup.network)
        return total

    def _mixed(self) -> AbstractContextManager[object]:
        kind = _PRECISIONS.get(self._loop.precision)
        return torch.autocast(self._setup.ranks.device.type, kind) if kind else nullcontext()

    def _unsynced(self, wanted: bool) -> AbstractContextManager[object]:
        forward = self._setup.forward
        return forward.no_sync() if wanted and isinstance(forward, DistributedDataParallel) else nullcontext()


@contextmanager
def memory_explained(setup: Setup, step: int) -> Iterator[None]:
    """Turn running out of memory into an error that says what to lower.

    Raises:
        UsageError: `out_of_memory`.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error).lower()
        is_known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        if not is_known and "allocate memory" not in text and "out of memory" not in text:
            raise
        recipe, batch, ranks = setup.recipe, setup.sampler.batch, setup.ranks.count
        raise UsageError(
            f"step {step}: out of memory on {setup.ranks.device} with a batch of {batch} pictures of "
            f"{recipe.input.height} x {recipe.input.width}, {batch // ranks // recipe.loop.accumulate} at a time; "
            f"raise loop.accumulate (it is {recipe.loop.accumulate}), lower the sampler's batch or the input's size, "
            "or set loop.precision",
            code="out_of_memory",
        ) from error


def _seed_of(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _cut(batch: Batch, pieces: int) -> list[Batch]:
    parts = {name: value.chunk(pieces) for name, value in batch.items()}
    return [{name: values[number] for name, values in parts.items()} for number in range(pieces)]
