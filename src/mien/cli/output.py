"""What commands share: JSON on stdout, tables and progress on stderr's terminal, pictures found by path."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
Fpir = Annotated[
    float, typer.Option("--fpir", min=1e-9, max=0.999, help="False positive identification rate of one search.")
]


def print_json(record: Any, *, indent: int | None = None) -> None:
    """One JSON document, keys in their order, on stdout."""
    sys.stdout.write(json.dumps(record, ensure_ascii=False, indent=indent, allow_nan=False) + "\n")


def print_table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """A table on stdout, numbers to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold")
    for index, column in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    Console().print(table)


def note(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(text + "\n")


@contextmanager
def progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr: call it with (done, in all). Silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
