"""mien sees who is there: it finds, follows and recognizes people in pictures and video.

Example:
    >>> import mien
    >>> mien.verify("a.jpg", "b.jpg", fmr=1e-4).same  # doctest: +SKIP
    True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.api import Verification, analyze, verify, watch
    from mien.errors import BadInputError, MienError, MissingError, UsageError
    from mien.face.analyzer import FaceAnalyzer
    from mien.identity.gallery import Gallery
    from mien.person.analyzer import PersonAnalyzer
    from mien.records import Attributes, Face, Frame, Match, Person, Template

__version__ = "0.1.0"

_HOMES = {
    "analyze": "mien.api",
    "verify": "mien.api",
    "watch": "mien.api",
    "Verification": "mien.api",
    "FaceAnalyzer": "mien.face.analyzer",
    "PersonAnalyzer": "mien.person.analyzer",
    "Gallery": "mien.identity.gallery",
    "Attributes": "mien.records",
    "Face": "mien.records",
    "Frame": "mien.records",
    "Match": "mien.records",
    "Person": "mien.records",
    "Template": "mien.records",
    "MienError": "mien.errors",
    "UsageError": "mien.errors",
    "BadInputError": "mien.errors",
    "MissingError": "mien.errors",
}

__all__ = [
    "Attributes",
    "BadInputError",
    "Face",
    "FaceAnalyzer",
    "Frame",
    "Gallery",
    "Match",
    "MienError",
    "MissingError",
    "Person",
    "PersonAnalyzer",
    "Template",
    "UsageError",
    "Verification",
    "analyze",
    "verify",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used: `import mien` alone loads no network and no codec."""
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
