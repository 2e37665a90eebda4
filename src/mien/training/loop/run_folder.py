"""The folder of one training: its recipe, where it runs, its checkpoints, its figures.

```
recipe.toml          the recipe with all changes
environment.json     versions, hardware, seed
checkpoints/         the last two
metrics.jsonl        one line a step, and one an evaluation
events/              the same for TensorBoard
skipped.txt          pictures that could not be decoded
weights.safetensors  the network at the end (the average, where there is one)
result.json          the figures at the end
```
"""

from __future__ import annotations

import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from mien.errors import BadInputError, UsageError
from mien.media.files import replacing, shown, unwritable
from mien.training.recipe import Recipe, load_recipe, to_toml

_MAY_CHANGE = {"loop.workers", "loop.device", "loop.checkpoint_steps", "loop.accumulate", "description"}
"""What a resumed run may do otherwise; all else would make it a different training."""


class RunFolder:
    """Paths of one run.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe = path / "recipe.toml"
        self.environment = path / "environment.json"
        self.checkpoints = path / "checkpoints"
        self.metrics = path / "metrics.jsonl"
        self.events = path / "events"
        self.skipped = path / "skipped.txt"
        self.weights = path / "weights.safetensors"
        self.result = path / "result.json"

    def start(self, recipe: Recipe, ranks: int) -> None:
        """Make the folder.

        Raises:
            UsageError: `run_exists`, `file_unwritable`.
        """
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise UsageError(
                f"{shown(self.path)} is there already; take it up with --resume, or give another folder with --run",
                code="run_exists",
            )
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            self.write(self.recipe, to_toml(recipe.model_dump(exclude_unset=True)))
            self.write(self.environment, json.dumps(environment(recipe.seed, ranks), indent=2) + "\n")
        except OSError as error:
            raise unwritable(self.path, error) from error

    def take_up(self, recipe: Recipe) -> None:
        """Check that the folder holds a run of this recipe.

        Raises:
            BadInputError: `run_missing`: there is none.
            UsageError: `run_other_recipe`: it was started with another recipe; the message names the keys.
        """
        if not self.recipe.is_file():
            raise BadInputError(
                f"{shown(self.path)}: holds no run to resume; leave --resume out to start one", code="run_missing"
            )
        before = _flat(load_recipe(self.recipe).model_dump())
        after = _flat(recipe.model_dump())
        differing = [
            f"{name} ({before.get(name)!r} -> {after.get(name)!r})"
            for name in sorted(before.keys() | after.keys())
            if before.get(name) != after.get(name) and name not in _MAY_CHANGE
        ]
        if differing:
            raise UsageError(
                f"{shown(self.path)} was started with another recipe: {'; '.join(differing)}; resume with the same, "
                "or start a new run",
                code="run_other_recipe",
            )

    def write(self, path: Path, text: str) -> None:
        """Write one of the folder's files whole."""
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def environment(seed: int, ranks: int) -> dict[str, Any]:
    """What a run's figures may depend on: versions, hardware, seed."""
    names = ("mien", "torch", "numpy", "opencv-python-headless")
    return {
        "seed": seed,
        "ranks": ranks,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "packages": {name: _version(name) for name in names},
        "cpu": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _flat(table: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in table.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, dict) else {before + name: value}
    return flat
