"""`mien report`: events as a page with plots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import note


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(report)


def report(
    source: Annotated[Path, typer.Argument(metavar="EVENTS.jsonl", help="Events that `mien watch` wrote.")],
    out: Annotated[Path, typer.Option(metavar="FILE.html", help="The page.")] = Path("report.html"),
    zones: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Draw the lines and zones of this file into the maps.")
    ] = None,
    background: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="A picture of the scene, shown below the maps.")
    ] = None,
) -> None:
    """Make one HTML page of a file of events: counts over time, stays, where people were; it needs no network."""
    from mien.errors import UsageError
    from mien.media.files import replacing, unwritable
    from mien.media.image import read
    from mien.scene.report.page import report as page
    from mien.scene.sinks.replay import read_events
    from mien.scene.zones.zone_file import load_zones

    if out.exists() and source.exists() and out.samefile(source):
        raise UsageError(f"{out} would be written over; give the page another file", code="file_in_use")
    drawn = page(
        read_events(source),
        zones=None if zones is None else load_zones(zones),
        background=None if background is None else read(background),
    )
    try:
        with replacing(out) as temporary:
            temporary.write_bytes(drawn)
    except OSError as error:
        raise unwritable(out, error) from error
    note(f"written to {out}")
