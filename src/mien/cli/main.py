"""The command `mien`: its groups, and how errors become exit codes."""

from __future__ import annotations

import logging
import os
import sys

import typer

from mien.cli import benchmark, demo, doctor, evaluate, gallery, models, operating_point, pictures, watch

app = typer.Typer(
    name="mien",
    help="mien sees who is there: it finds, follows and recognizes people in pictures and video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for module in (pictures, gallery, watch, operating_point, benchmark, demo, doctor):
    module.register(app)
app.add_typer(models.app, name="models")
app.add_typer(evaluate.app, name="evaluate")


def run() -> None:
    """The console script. Exit codes: 0 done, 1 no, 2 usage, 3 bad input, 4 missing, 5 internal, 130 interrupted."""
    logging.basicConfig(level=logging.WARNING, format="warning: %(message)s", stream=sys.stderr)
    sys.exit(_run())


def _run() -> int:
    from mien.errors import MienError

    try:
        app()
    except MienError as error:
        sys.stderr.write(f"error [{error.code}]: {error}\n")
        return error.exit_code
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 5 if end.code else 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of stdout has gone; nobody is left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("MIEN_DEBUG"):
            raise
        sys.stderr.write(
            f"error [internal]: {type(error).__name__}: {error}\n"
            "This is a defect in mien; run the same command with MIEN_DEBUG=1 and report what it prints.\n"
        )
        return 5
    return 0
