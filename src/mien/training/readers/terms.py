"""On what terms a set may be used: each reader's module says it of its set, as `TERMS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Terms:
    """What whoever uses weights must know of the pictures that they came from.

    Attributes:
        title: what the set is called.
        terms: its publisher's, in a few words.
        research_only: weights that come from it are for research only, too.
        shows: what its pictures are used to recognize; None where the set does not say.
    """

    title: str
    terms: str
    research_only: bool
    shows: Literal["face", "person"] | None = None


UNKNOWN = Terms("pictures of the user's own", "not stated", research_only=False)
"""Of readers that say nothing."""
