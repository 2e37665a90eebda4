"""`mien replay`: the events of a file once more, as if they happened now."""

from __future__ import annotations

import math
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import Json, note, print_json


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(replay)


def replay(
    source: Annotated[Path, typer.Argument(metavar="EVENTS.jsonl", help="Events that `mien watch` wrote.")],
    speed: Annotated[
        float | None, typer.Option(help="Wait between events: 1 as they happened, 60 a minute a second; else at once.")
    ] = None,
    events: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Write them to this file.")] = None,
    to: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Send each to this http(s) address as a JSON POST, again until it is taken."),
    ] = None,
    json: Json = False,
) -> None:
    """Give the events of a file out again, in their order, to the same places as `mien watch` does."""
    from mien.cli.event_text import event_line
    from mien.errors import UsageError
    from mien.media.files import check_file
    from mien.scene.sinks.json_lines import JsonLines
    from mien.scene.sinks.replay import paced, read_events
    from mien.scene.sinks.webhook import Webhook

    if events is not None and events.exists() and source.exists() and events.samefile(source):
        raise UsageError(f"{events} would be written over; give the replayed events another file", code="file_in_use")
    with ExitStack() as stack:
        check_file(source)  # before the file for the results is made
        sink = None if events is None else stack.enter_context(JsonLines(events))
        hook = None if to is None else stack.enter_context(Webhook(to))
        for record in paced(read_events(source), math.inf if speed is None else speed):
            if sink is not None:
                sink.write(record)
            if hook is not None:
                hook.write(record)
            if json:
                print_json(record)
            else:
                note(event_line(record))
    if hook is not None:
        note(f"{hook.taken} event(s) sent")
