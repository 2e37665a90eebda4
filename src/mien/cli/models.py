"""`mien models`: what models there are, fetching and checking them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mien.cli.output import Json, print_json, print_table

app = typer.Typer(help="List, fetch and check models.", no_args_is_help=True)


@app.command("list")
def list_models(json: Json = False) -> None:
    """All known models: task, licence, terms of the training data, and whether they are here."""
    from mien.models.catalogue import catalogue
    from mien.models.store import is_present

    rows = [
        {
            "name": entry.name,
            "task": entry.task,
            "pack": entry.pack,
            "licence": entry.licence,
            "training_terms": entry.training_terms,
            "bytes": entry.bytes,
            "present": is_present(entry),
        }
        for entry in catalogue().values()
    ]
    if json:
        print_json(rows)
        return
    shown: list[list[Any]] = [
        [
            row["name"],
            row["task"],
            row["pack"],
            row["licence"],
            row["training_terms"],
            "yes" if row["present"] else "no",
        ]
        for row in rows
    ]
    print_table("models", ["name", "task", "pack", "licence", "terms of the training data", "here"], shown)


@app.command()
def pull(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="None: the standard pack.")] = None,
) -> None:
    """Fetch models into the cache: from the mirror folder, else from their publishers."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    from mien.models.catalogue import catalogue, model
    from mien.models.store import pull as pull_model

    entries = [model(name) for name in names] if names else [e for e in catalogue().values() if e.pack == "standard"]
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        for entry in entries:
            task = bar.add_task(entry.name, total=None)

            def report(name: str, done: int, total: int, task: TaskID = task) -> None:
                bar.update(task, completed=done, total=total)

            pull_model(entry, report)
            print(f"{entry.name}: here, sha256 as in the catalogue")


@app.command()
def verify(json: Json = False) -> None:
    """Read every model file that is here and compare it with its sha256."""
    from mien.errors import BadInputError
    from mien.models.catalogue import catalogue
    from mien.models.store import verify as verify_model

    states = {name: verify_model(entry) for name, entry in catalogue().items()}
    wrong = [name for name, files in states.items() for state in files.values() if state.startswith("wrong")]
    if json:
        print_json(states)
    else:
        rows = [[name, file, state] for name, files in states.items() for file, state in files.items()]
        print_table("model files", ["model", "file", "state"], rows)
    if wrong:
        raise BadInputError(
            f"wrong files of {', '.join(dict.fromkeys(wrong))}; they are never loaded. `mien models pull NAME` "
            "replaces them in the cache; a mirror is yours to mend.",
            code="model_corrupt",
        )


@app.command()
def card(name: Annotated[str, typer.Argument(metavar="NAME")], json: Json = False) -> None:
    """What is known of a model: publisher, licence, training data, input, pre-processing."""
    from dataclasses import asdict

    from mien.models.catalogue import model

    entry = model(name)
    if json:
        print_json(asdict(entry) | {"place": str(entry.place) if entry.place else None})
        return
    takes = entry.input
    size = f"{takes.size[1]} x {takes.size[0]}" if takes.size else f"any multiple of {takes.multiple}"
    facts = {
        "task": f"{entry.task} ({entry.pack} pack)",
        "what it does": entry.summary,
        "publisher": f"{entry.publisher}, {entry.card}",
        "paper": entry.paper,
        "licence": entry.licence,
        "training data": entry.training_data,
        "terms of that data": entry.training_terms,
        "input": f"{size}, {takes.colour}, (pixel - {list(takes.mean)}) / {list(takes.scale)}",
        "alignment": (
            f"five landmarks to {entry.alignment.template}; flip averaging: {entry.alignment.flip_average}"
            if entry.alignment
            else ""
        ),
        "precision": f"{entry.precision}. {entry.precision_note}".rstrip(". ") + ".",
        "accuracy": entry.accuracy_note,
    }
    for file in entry.files:
        facts[file.name] = f"{file.bytes} bytes, sha256 {file.sha256}, {file.url}"
    print_table(name, ["", ""], [[key, value] for key, value in facts.items() if value])
