"""`mien doctor`: what works here, what is missing, how to get it."""

from __future__ import annotations

import typer

from mien.cli.output import Json, print_json, print_table


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(doctor)


def doctor(json: Json = False) -> None:
    """Check this machine: runtimes, devices, models, store and key, video codecs."""
    from mien.cli.checkup import check_all

    checks = check_all()
    if json:
        print_json([{"check": c.name, "state": c.state, "found": c.found, "remedy": c.remedy} for c in checks])
    else:
        print_table(
            "mien doctor", ["check", "state", "found", "remedy"], [[c.name, c.state, c.found, c.remedy] for c in checks]
        )
    if any(c.state == "failed" for c in checks):
        raise typer.Exit(4)
