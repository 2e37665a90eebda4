"""`mien export`: a finished training becomes one ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import Json, note, print_json


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(export)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run of `mien train`.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.onnx", help="The file to write; RUN/model.onnx otherwise.")
    ] = None,
    json: Json = False,
) -> None:
    """Write the network of a finished run as ONNX, its weights in half precision."""
    _check_installed()
    from hashlib import sha256

    from mien.training.export import export_run

    file = export_run(run, out)
    content = file.read_bytes()
    record = {"file": str(file), "bytes": len(content), "sha256": sha256(content).hexdigest()}
    if json:
        print_json(record)
        return
    note(f"{record['file']}: {record['bytes']} bytes, sha256 {record['sha256']}")


def _check_installed() -> None:
    from importlib.util import find_spec

    from mien.errors import MissingError

    missing = [name for name in ("torch", "safetensors", "onnx") if find_spec(name) is None]
    if missing:
        raise MissingError(
            f"exporting needs {', '.join(missing)}; install with: pip install 'mien[train]'", code="dependency_missing"
        )
