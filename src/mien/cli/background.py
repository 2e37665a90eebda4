"""`mien background`: another background behind people, or their own out of focus."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import check_picture_output, note


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(background)


def background(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="A picture of people.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the new picture goes (PNG or JPEG).")],
    blur: Annotated[bool, typer.Option("--blur", help="Its own background out of focus.")] = False,
    replace: Annotated[Path | None, typer.Option(metavar="FILE", help="Another picture behind them.")] = None,
    colour: Annotated[str | None, typer.Option(metavar="RRGGBB", help="One colour behind them.")] = None,
) -> None:
    """Blur or replace what is behind the people of a picture."""
    from mien.effects.background import blur_background, replace_background
    from mien.errors import UsageError
    from mien.media.image import read, write
    from mien.person.detector import PersonDetector
    from mien.person.segmenter import PersonSegmenter

    if sum((blur, replace is not None, colour is not None)) != 1:
        raise UsageError("give one of --blur, --replace FILE and --colour RRGGBB", code="background_not_chosen")
    check_picture_output(output)
    behind = _rgb(colour) if colour is not None else None if replace is None else read(replace)
    image = read(picture)
    mask = PersonSegmenter()(image, PersonDetector()(image) or None)
    write(output, blur_background(image, mask) if behind is None else replace_background(image, mask, behind))
    note(f"written to {output}; {mask.mean():.0%} of the picture shows people")


def _rgb(colour: str) -> tuple[int, int, int]:
    from mien.errors import UsageError

    if not re.fullmatch("#?[0-9a-fA-F]{6}", colour):
        raise UsageError(
            f"--colour {colour!r} is no colour; give six hexadecimal digits RRGGBB, 00b140 for green",
            code="colour_invalid",
        )
    red, green, blue = bytes.fromhex(colour[-6:])
    return red, green, blue
