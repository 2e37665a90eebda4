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
    from mien.records import Face, Frame, Match, Template

__version__ = "0.1.0"

_HOMES = {
    "analyze": "mien.api",
    "verify": "mien.api",
    "watch": "mien.api",
    "Verification": "mien.api",
    "FaceAnalyzer": "mien.face.analyzer",
    "Gallery": "mien.identity.gallery",
    "Face": "mien.records",
    "Frame": "mien.records",
    "Match": "mien.records",
    "Template": "mien.records",
    "MienError": "mien.errors",
    "UsageError": "mien.errors",
    "BadInputError": "mien.errors",
    "MissingError": "mien.errors",
}

__all__ = [
    "BadInputError",
    "Face",
    "FaceAnalyzer",
    "Frame",
    "Gallery",
    "Match",
    "MienError",
    "MissingError",
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
