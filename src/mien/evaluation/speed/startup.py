"""How long it takes until `import mien` and `mien --help` are done, beside a bare interpreter."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

from mien.evaluation.speed.comparison import Comparison, interleave

_PROGRAMS = {
    "import mien": "import mien",
    "mien --help": "import sys; sys.argv = ['mien', '--help']; from mien.cli.main import run; run()",
    "bare Python": "pass",
}


def startup(rounds: int = 11) -> Comparison:
    """Times of whole processes, from their start to their end."""
    contenders = {name: partial(_run, program) for name, program in _PROGRAMS.items()}
    milliseconds = interleave(contenders, rounds)
    bare = milliseconds["bare Python"]
    facts = {
        f"{name}, milliseconds over bare Python": round(milliseconds[name] - bare, 1)
        for name in ("import mien", "mien --help")
    }
    return Comparison("startup", "a whole process", rounds, milliseconds, facts=facts)


def _run(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
