"""`mien train`: a recipe becomes weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.output import Json, note, print_json, print_table

if TYPE_CHECKING:
    from mien.training.loop.trainer import Progress

_LINE_STEPS = 100


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(train)


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE.toml", help="A file, or the name of a packaged recipe.")],
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change the recipe, e.g. optimizer.learning_rate=0.01."),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run's folder; runs/NAME otherwise. Must not be there yet.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Take up the run in that folder.")] = False,
    json: Json = False,
) -> None:
    """Train what a recipe says; weights, figures and checkpoints go to the run's folder."""
    _check_installed()
    from mien.training.loop.trainer import train as run_recipe
    from mien.training.recipe import load_recipe

    loaded = load_recipe(recipe, changes or [])
    folder = run or Path("runs") / loaded.name
    is_first = os.environ.get("RANK", "0") == "0"  # of those that torchrun started; the others say nothing
    with _bar(loaded.name) if is_first else nullcontext() as report:
        result = run_recipe(loaded, folder, resume=resume, report=report)
    if not is_first:
        return
    if json:
        print_json({**result, "run": str(folder)})
        return
    rows: list[list[Any]] = [[name, value] for name, value in {**result["last"], **result["evaluation"]}.items()]
    print_table(f"{result['name']}: {result['steps']} steps in {result['seconds']:.0f} s", ["figure", "value"], rows)
    if result["skipped"]:
        note(f"{result['skipped']} pictures could not be decoded; see {folder / 'skipped.txt'}")
    note(f"weights: {folder / 'weights.safetensors'}")


def _check_installed() -> None:
    from importlib.util import find_spec

    from mien.errors import MissingError

    missing = [name for name in ("torch", "safetensors", "tensorboardX") if find_spec(name) is None]
    if missing:
        raise MissingError(
            f"training needs {', '.join(missing)}; install with: pip install 'mien[train]'", code="dependency_missing"
        )


@contextmanager
def _bar(name: str) -> Iterator[Callable[[Progress], None]]:
    """A progress bar on a terminal, a line now and then elsewhere; both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn(name),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    console = Console(stderr=True)
    told = 0
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def report(progress: Progress) -> None:
            nonlocal told
            figures = "  ".join(f"{name} {value:.4g}" for name, value in progress.figures.items())
            text = f"epoch {progress.epoch}/{progress.epochs}  {figures}  {progress.pictures_per_second:.0f} pictures/s"
            bar.update(task, completed=progress.step, total=progress.steps, description=text)
            if not console.is_terminal and (progress.step - told >= _LINE_STEPS or progress.step == progress.steps):
                told = progress.step
                note(f"step {progress.step}/{progress.steps}  {text}")

        yield report
