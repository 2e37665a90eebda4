"""The command `mien`: its groups, and how errors become exit codes."""

from __future__ import annotations

import io
import logging
import os
import sys
from typing import Annotated

import typer

from mien.cli import (
    background,
    benchmark,
    cameras,
    demo,
    doctor,
    evaluate,
    evaluate_video,
    export,
    find,
    gallery,
    models,
    operating_point,
    pictures,
    replay,
    report,
    train,
    visitors,
    watch,
)

app = typer.Typer(
    name="mien",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def choose_pack(
    pack: Annotated[
        str | None, typer.Option(metavar="NAME", help="Models to use: standard, or starter (for research only).")
    ] = None,
) -> None:
    """mien sees who is there: it finds, follows and recognizes people in pictures and video."""
    if pack is not None:
        from mien.settings import settings

        os.environ["MIEN_PACK"] = pack
        settings.cache_clear()
        settings()


for module in (
    pictures,
    background,
    gallery,
    find,
    watch,
    operating_point,
    benchmark,
    demo,
    doctor,
    train,
    export,
    replay,
    report,
):
    module.register(app)
app.add_typer(models.app, name="models")
evaluate_video.register(evaluate.app)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(cameras.app, name="cameras")
app.add_typer(find.app, name="archive")
app.add_typer(visitors.app, name="visitors")


def run() -> None:
    """The console script."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    for level in (logging.WARNING, logging.ERROR):
        logging.addLevelName(level, logging.getLevelName(level).lower())
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold bytes that are no text. In JSON the escape that stands for one is the right one.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: of the command line; None takes those of the process.

    Returns:
        The exit code: 0 done, 1 no, 2 usage, 3 bad input, 4 missing, 5 internal, 130 interrupted.
    """
    from mien.errors import MienError

    try:
        app(arguments, prog_name="mien")
    except MienError as error:
        sys.stderr.write(f"error [{error.code}]: {error}\n")
        return error.exit_code
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            return 0  # the reader of stdout has gone; nobody is left to tell
        return end.code if isinstance(end.code, int) else 5 if end.code else 0
    except Exception as error:
        if os.environ.get("MIEN_DEBUG"):
            raise
        sys.stderr.write(
            f"error [internal]: {type(error).__name__}: {error}\n"
            "This is a defect in mien; run the same command with MIEN_DEBUG=1 and report what it prints.\n"
        )
        return 5
    return 0
