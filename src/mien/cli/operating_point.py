"""`mien operating-point`: what a false match rate means in false alarms a day."""

from __future__ import annotations

from typing import Annotated

import typer

from mien.cli.output import Json, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command("operating-point")(operating_point)


def operating_point(
    enrolled: Annotated[int, typer.Option(min=0, help="Faces that are enrolled.")],
    passers_by: Annotated[float, typer.Option(min=0, help="People a day who are searched for.")],
    fmr: Annotated[float, typer.Option(min=1e-12, max=0.999, help="False match rate of one comparison.")],
    prevalence: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of the passers-by who are enrolled.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Embedder; the pack's by default.")] = None,
    json: Json = False,
) -> None:
    """False alarms a day, true alarms and precision of a watch list."""
    from mien.face.embedder import embedder_identity
    from mien.identity.operating_point import operating_point as compute
    from mien.identity.search import calibration

    name, fingerprint = embedder_identity(model)
    answer = compute(enrolled, passers_by, fmr, prevalence, calibration=calibration(name, fingerprint))
    if json:
        print_json({**answer, "model": name})
        return
    print_table(f"{name} at FMR {fmr:g}", ["figure", "value"], [[key, value] for key, value in answer.items()])
