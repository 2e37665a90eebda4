"""The training loop: a recipe in, a run folder with weights and figures out.

How the parts of a recipe meet (each is a class or function named by its import path; what stands in brackets is
offered by the trainer to any part whose signature has a parameter of that name):

- `[data]`: samples (`mien.training.data.pictures.Samples`): `len(data)`, `data.labels`, `data.name(index)`,
  `data.forbidden` (None, or why it must not be trained on) and `data.sample(index, random) -> {name: array or number}`,
  stacked to a batch of tensors. Randomness comes from the generator it is given, and from nowhere else.
  [`input_format`, `seed`, `epochs`]
- `[sampler]`: which samples make up which batch (`mien.training.data.samplers.Sampler`). [`data`, `seed`]
- `[network]`: an `nn.Module`, what is deployed in the end. [`data`, `input_format`]
- `[task]`: an `nn.Module` that owns the network and everything else that is trained (classifiers, projections):
  `task(batch, progress) -> {"loss": scalar, other figures: scalars}`, `progress` being the share of the run that is
  done, in [0, 1). Pictures come as uint8 `(B, H, W, 3)`; `input_format.tensor(batch["image"])` makes them the input.
  torch's global generator is seeded from seed, step and rank before each call, so `torch.rand` may be used freely.
  [`network`, `data`, `input_format`, `seed`, `epochs`]
- `[optimizer]`: a function of the task (`mien.training.loop.optimizers`). [`module`]
- `[schedule]`: (epochs done, epochs in all) -> factor on every learning rate (`mien.training.loop.schedule`).
- `[evaluation]`: `evaluation(network) -> {name: number}`; the network is in evaluation mode, averaged where the loop
  averages. [`data`, `input_format`, `seed`]

A frozen teacher is kept out of the weights by keeping it out of `nn.Module`'s sight, e.g. in a tuple.

Several processes: `torchrun --no-python --nproc-per-node 8 -- mien train RECIPE`. The sampler's batch is that of all
together; each rank takes an equal piece, `loop.accumulate` cuts it further.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mien.errors import BadInputError
from mien.training.data.loader import Batch, batches
from mien.training.data.skipped import SkippedPictures
from mien.training.loop import checkpoint
from mien.training.loop.metrics_log import MetricsLog
from mien.training.loop.ranks import Ranks, joined
from mien.training.loop.run_folder import RunFolder
from mien.training.loop.setup import set_up
from mien.training.loop.stepping import Stepper, memory_explained
from mien.training.loop.training_state import restore_training, save_training
from mien.training.recipe import Recipe
from mien.training.sharded.allocator import keep_memory

_FLUSH_STEPS = 10
"""Figures are fetched from the device every so many steps; a loss that is no number is found that late at most."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is.

    Attributes:
        step, steps: done and in all.
        epoch, epochs: begun (from 1) and in all.
        figures: the last step's loss and other figures; empty before the first.
        pictures_per_second: over the last steps.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    figures: dict[str, float]
    pictures_per_second: float


Report = Callable[[Progress], None]


def train(recipe: Recipe, run: str | Path, *, resume: bool = False, report: Report | None = None) -> dict[str, Any]:
    """Run a recipe to its end.

    On a CPU, a run that was killed and resumed has the same losses, to the last bit, as one that was not.

    Args:
        recipe: from `mien.training.recipe.load_recipe`.
        run: the run's folder (`mien.training.loop.run_folder`).
        resume: take up the run in the folder at its newest checkpoint; a finished one is only read.
        report: called now and then.

    Returns:
        What `result.json` holds: `{"name", "steps", "seconds", "skipped", "last": {...}, "evaluation": {...}}`;
        `seconds` is this process's own time where a run was resumed.

    Raises:
        BadInputError: a set or recipe that cannot be used; `loss_not_finite`, `skipped_too_many`, `run_missing`.
        UsageError: `run_exists`, `run_other_recipe`, `batch_uneven`, `out_of_memory`.
        MissingError: `gpu_missing`.
    """
    folder = RunFolder(Path(run))
    if recipe.loop.threads:
        torch.set_num_threads(recipe.loop.threads)
    with joined(recipe.loop.device) as ranks:
        if resume:
            folder.take_up(recipe)
            if folder.result.is_file():
                result: dict[str, Any] = json.loads(folder.result.read_text(encoding="utf-8"))
                return result
        elif ranks.is_first:
            folder.start(recipe, ranks.count)
        ranks.wait()
        return _Training(recipe, folder, ranks).run(report)


class _Training:
    """One run; `run` is the loop."""

    def __init__(self, recipe: Recipe, folder: RunFolder, ranks: Ranks) -> None:
        keep_memory()
        torch.backends.cudnn.benchmark = True
        self.recipe, self.folder, self.ranks = recipe, folder, ranks
        self.setup = set_up(recipe, ranks)
        self.epoch_steps = self.setup.sampler.batches
        self.steps = recipe.epochs * self.epoch_steps
        self.step = restore_training(self.setup, folder.checkpoints)
        self.skipped = SkippedPictures(folder.skipped, self.setup.data)
        self.log = MetricsLog(folder.metrics, folder.events, after=self.step) if ranks.is_first else None
        self.waiting: list[tuple[int, dict[str, torch.Tensor]]] = []
        self.last: dict[str, float] = {}

    def run(self, report: Report | None) -> dict[str, Any]:
        started = time.perf_counter()
        setup = self.setup
        stream = batches(
            setup.data,
            setup.sampler,
            seed=self.recipe.seed,
            epochs=self.recipe.epochs,
            first_step=self.step,
            rank=self.ranks.rank,
            ranks=self.ranks.count,
            workers=self.recipe.loop.workers,
            pin=self.ranks.device.type == "cuda",
        )
        with closing(stream):
            self._train(stream, report)
        save_training(setup, self.folder.checkpoints, self.step)
        return self._finish(time.perf_counter() - started)

    def _train(self, stream: Iterator[Batch], report: Report | None) -> None:
        marked = time.perf_counter()
        loop, setup = self.recipe.loop, self.setup
        stepper = Stepper(setup, self.steps)
        setup.task.train()
        while self.step < self.steps:
            with memory_explained(setup, self.step + 1):
                batch = next(stream)
                figures = stepper(batch, self.step)
            self.skipped.note(batch)
            self.step += 1
            self.waiting.append((self.step, figures))
            is_last, saves = self.step == self.steps, self.step % loop.checkpoint_steps == 0
            if len(self.waiting) == _FLUSH_STEPS or saves or self.step % self.epoch_steps == 0:
                pictures = len(self.waiting) * setup.sampler.batch
                self._flush()
                now = time.perf_counter()
                if report is not None and self.ranks.is_first:
                    report(self._progress(pictures / (now - marked)))
                marked = now
            if saves and not is_last:
                save_training(setup, self.folder.checkpoints, self.step)
            every = loop.evaluate_epochs * self.epoch_steps
            if every and self.step % every == 0 and not is_last:
                self._evaluate()
                marked = time.perf_counter()

    def _flush(self) -> None:
        """Fetch and write the figures of the last steps, averaged over the ranks.

        Raises:
            BadInputError: `loss_not_finite`, `skipped_too_many`.
        """
        names = list(self.waiting[0][1])
        table = torch.stack([torch.stack([figures[name] for name in names]) for _, figures in self.waiting])
        if self.ranks.count > 1:
            torch.distributed.all_reduce(table)
            table /= self.ranks.count
        for (step, _), row in zip(self.waiting, table.tolist(), strict=True):
            self.last = dict(zip(names, row, strict=True))
            if not math.isfinite(self.last["loss"]):
                raise BadInputError(self._not_finite(step), code="loss_not_finite")
            if self.log is not None:
                self.log.write("train", step, {"epoch": (step - 1) // self.epoch_steps + 1, **self.last})
        self.waiting.clear()
        if self.log is not None:
            self.log.write("rate", self.step, {"learning_rate": self.setup.optimizer.param_groups[0]["lr"]})
            self.log.flush()
        self.skipped.check()

    def _evaluate(self) -> dict[str, float]:
        """Figures of the network, or of its average, on the first rank; the others wait."""
        figures: dict[str, float] = {}
        if self.setup.evaluation is not None and self.log is not None:
            with torch.inference_mode():
                figures = self.setup.evaluation(self.setup.result.eval())
            self.log.write("evaluation", self.step, figures)
            self.log.flush()
        self.setup.task.train()
        self.ranks.wait()
        return figures

    def _finish(self, seconds: float) -> dict[str, Any]:
        result = {
            "name": self.recipe.name,
            "steps": self.step,
            "seconds": round(seconds, 1),
            "skipped": self.skipped.count,
            "last": self.last,
            "evaluation": self._evaluate(),
        }
        if self.log is not None:
            weights = self.setup.result.state_dict()
            checkpoint.save(self.folder.weights, weights, {"recipe": self.recipe.name, "step": self.step})
            self.folder.write(self.folder.result, json.dumps(result, indent=2) + "\n")
            self.log.close()
        self.ranks.wait()
        return result

    def _progress(self, speed: float) -> Progress:
        epoch = (self.step - 1) // self.epoch_steps + 1
        return Progress(self.step, self.steps, epoch, self.recipe.epochs, self.last, speed)

    def _not_finite(self, step: int) -> str:
        path = checkpoint.newest(self.folder.checkpoints)
        kept = f"the last checkpoint is {path.name}" if path else "there is no checkpoint yet"
        return (
            f"step {step}: the loss is {self.last['loss']}; {kept}. Lower optimizer.learning_rate, set loop.clip_norm, "
            f"lengthen the warm-up, or use another loop.precision (it is {self.recipe.loop.precision})"
        )
