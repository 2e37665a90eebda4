"""The exceptions of mien: one small tree, each with a stable `code` that the command line and REST show.

A message says what was given, what was expected and what to do. Codes are public: scripts depend on them.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class MienError(Exception):
    """An error that a user can act on.

    Attributes:
        code: stable identifier in snake case, e.g. `picture_truncated`.
        exit_code: what the command line exits with (2 wrong usage, 3 bad input, 4 missing, 5 internal).
    """

    exit_code = 5

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class UsageError(MienError):
    """The call itself makes no sense: contradicting options, a value out of range."""

    exit_code = 2


class BadInputError(MienError):
    """A picture, video, template, database or file that cannot be used as it is."""

    exit_code = 3


class MissingError(MienError):
    """A model, dependency or device that is not there; the message names the command that gets it."""

    exit_code = 4


def nearest(given: str, known: Iterable[str]) -> str:
    """The end of a message about a name that nobody knows: the nearest known one, or all where none is near.

    Example:
        >>> nearest("polygone", ["name", "polygon"])
        "; did you mean 'polygon'?"
    """
    names = list(known)
    close = get_close_matches(given, names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(names)}" if names else ""
