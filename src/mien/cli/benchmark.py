"""`mien benchmark`: speed on this machine, beside peers in the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.output import Json, note, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(benchmark)


def benchmark(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="decode, detect, embed, search, watch, startup; all by default."),
    ] = None,
    video: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A clip with faces; made of scikit-image's astronaut otherwise.")
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(min=1, help="watch: play the clip from memory, forward and back, until so many frames have come."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write the results with the machine.")
    ] = None,
    json: Json = False,
) -> None:
    """Measure speed beside OpenCV, ONNX Runtime, NumPy and faiss: medians over rounds in which all take turns."""
    from mien.evaluation.speed.machine import describe_machine
    from mien.evaluation.speed.suite import NAMES
    from mien.evaluation.speed.suite import benchmark as measure

    machine = describe_machine()
    found = measure(names or NAMES, video=video, frames=frames, progress=lambda name: note(f"measuring: {name}"))
    record = {
        "video": video.name if video else "astronaut",
        "machine": machine,
        "results": [comparison.to_dict() for comparison in found],
    }
    if output is not None:
        _write(output, record)
    if json:
        print_json(record)
        return
    rows: list[list[Any]] = []
    for comparison in found:
        ratios = comparison.ratios
        for place, (name, milliseconds) in enumerate(comparison.milliseconds.items()):
            label = (comparison.name, f"  {comparison.work}")[place] if place < 2 else ""
            rows.append([label, name, round(milliseconds, 4), round(ratios[name], 2)])
    print_table(
        f"mien benchmark on {machine['cpu']}, {machine['cores']} cores",
        ["benchmark", "who", "milliseconds", "times mien's"],
        rows,
    )
    for comparison in found:
        for name, fact in comparison.facts.items():
            note(f"{comparison.name}: {name.replace('_', ' ')}: {fact}")
        for text in comparison.notes:
            note(f"{comparison.name}: {text}")


def _write(path: Path, record: dict[str, Any]) -> None:
    from json import dumps

    from mien.errors import UsageError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", code="file_unwritable") from error
