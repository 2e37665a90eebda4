"""`mien export`: a finished training becomes a model file with its card and its entry for the catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mien.cli.output import Json, note, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(export)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run of `mien train`.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write; RUN/model.onnx or RUN/model.xml otherwise.")
    ] = None,
    format: Annotated[
        Literal["onnx", "openvino"], typer.Option("--format", help="One ONNX file, or OpenVINO's .xml and .bin.")
    ] = "onnx",
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantize on the recipe's training pictures, and measure what that costs.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model's name in card and entry; the recipe's otherwise.")
    ] = None,
    json: Json = False,
) -> None:
    """Write the network of a finished run as a model file, its card (.md) and catalogue entry (.toml)."""
    _check_installed()
    from hashlib import sha256

    from mien.training.release.export import export_run

    made = export_run(run, out, format=format, int8=int8, name=name)
    files = [_record(file, sha256(file.read_bytes()).hexdigest()) for file in made.files]
    if json:
        beside = {"name": made.name, "card": str(made.card), "entry": str(made.entry)}
        print_json({**files[0], "files": files, **beside, "accuracy": made.accuracy})
        return
    for file in files:
        note(f"{file['file']}: {file['bytes']} bytes, sha256 {file['sha256']}")
    note(f"card: {made.card}; entry for the catalogue: {made.entry}")
    if "evaluation" in made.accuracy:
        both = made.accuracy["evaluation"]
        rows = [[figure, both["float"][figure], both["int8"].get(figure)] for figure in both["float"]]
        print_table(made.name, ["figure", "float", "int8"], rows)
    for kind in ("parity", "int8"):
        if kind in made.accuracy:
            cosines = made.accuracy[kind]
            note(f"cosine to the network's own answers: mean {cosines['cosine_mean']}, least {cosines['cosine_least']}")


def _record(file: Path, digest: str) -> dict[str, Any]:
    return {"file": str(file), "bytes": file.stat().st_size, "sha256": digest}


def _check_installed() -> None:
    from importlib.util import find_spec

    from mien.errors import MissingError

    missing = [name for name in ("torch", "safetensors", "onnx") if find_spec(name) is None]
    if missing:
        raise MissingError(
            f"exporting needs {', '.join(missing)}; install with: pip install 'mien[train]'", code="dependency_missing"
        )
