"""A picture of what was found: who was asked for, and each moment's thumbnail with its time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from mien.archive.finding import Found
from mien.drawing.contact_sheet import Tile, grouped_contact_sheet
from mien.records import Image

_COLUMNS = 6


def clock(seconds: float) -> str:
    """Seconds from a video's start as people write them.

    Example:
        >>> clock(3725.4)
        '1:02:05.4'
    """
    minutes, rest = divmod(round(max(seconds, 0.0), 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def result_sheet(found: Sequence[Found], *, asked: Image | None = None, title: str = "found") -> Image:
    """The moments in their order, below the body that was asked for; RGB uint8 `(H, W, 3)`."""
    several = len({one.video.number for one in found}) > 1
    tiles = [
        Tile(
            one.thumbnail,
            f"{place}. {clock(one.track.began)} to {clock(one.track.ended)}",
            f"{one.similarity:.3f}  {PurePath(one.video.path).name}" if several else f"{one.similarity:.3f}",
        )
        for place, one in enumerate(found, 1)
    ]
    groups: list[tuple[str, Sequence[Tile]]] = [(title, tiles)]
    if asked is not None:
        groups.insert(0, ("asked for", [Tile(asked)]))
    return grouped_contact_sheet(groups, columns=_COLUMNS)
