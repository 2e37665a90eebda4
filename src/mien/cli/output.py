"""What commands share: JSON and tables on stdout, notes and progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]
Fpir = Annotated[
    float, typer.Option("--fpir", min=1e-9, max=0.999, help="False positive identification rate of one search.")
]

_LONGEST_LINE = 2000


def print_json(record: Any) -> None:
    """One JSON document on one line of stdout, keys in their order; sent at once, for who reads along."""
    is_unicode = sys.stdout.encoding.lower().replace("-", "") in ("utf8", "utf16")
    sys.stdout.write(json.dumps(record, ensure_ascii=not is_unicode, allow_nan=False) + "\n")
    sys.stdout.flush()


def print_table(title: str, columns: list[str], rows: list[list[Any]]) -> None:
    """A table on stdout, numbers to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        is_number = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    # Names may hold square brackets and colons, which are theirs and no markup.
    # In a file or a pipe a row is one line, for grep; on a terminal it is folded.
    width = None if sys.stdout.isatty() else _LONGEST_LINE
    console = Console(markup=False, emoji=False, highlight=False, width=width)
    console.print(Text(title, "bold"), soft_wrap=True)
    console.print(table)


def note(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write(text + "\n")


def print_counts(totals: dict[str, Any]) -> None:
    """The totals of a stream's lines, zones and rules, where it has any, for people."""
    for name, ways in totals.get("lines", {}).items():
        note(f"  line {name}: {ways['forward']} forward, {ways['backward']} backward")
    for name, zone in totals.get("zones", {}).items():
        dwell = "" if zone["mean_dwell"] is None else f", {zone['mean_dwell']:.1f} s each"
        note(f"  zone {name}: {zone['visits']} visit(s) of {zone['people']} track(s){dwell}, {zone['peak']} at most")
    for name, episodes in totals.get("rules", {}).items():
        note(f"  rule {name}: {episodes} time(s)")


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


def make_folder(path: Path) -> None:
    """A folder for results, made where it is missing.

    Raises:
        UsageError: `file_unwritable`.
    """
    from mien.media.files import unwritable

    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def check_picture_output(path: Path | None) -> None:
    """Says at once what writing a picture would say only after all the work.

    Raises:
        UsageError: `picture_suffix` or `file_unwritable`.
    """
    from mien.errors import UsageError

    if path is None:
        return
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"{path}: pictures are written as .png, .jpg or .jpeg", code="picture_suffix")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(
            f"{path}: cannot be written (it is a folder, or its folder is missing)", code="file_unwritable"
        )


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def print_figures(title: str, figures: dict[str, Any], json: bool) -> None:
    """What was measured, as JSON or as a table; figures inside figures are named by both."""
    if json:
        print_json(figures)
        return
    print_table(title, ["figure", "value"], list(_flat(figures)))


def _flat(figures: dict[str, Any], prefix: str = "") -> list[list[Any]]:
    rows: list[list[Any]] = []
    for key, value in figures.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name} ") if isinstance(value, dict) else [[name, value]]
    return rows
