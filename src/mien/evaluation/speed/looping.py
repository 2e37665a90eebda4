"""A short clip made long: its frames forward and back and forward again, so that nobody jumps at the seam."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mien.errors import UsageError
from mien.records import Frame, Image


class LoopedClip:
    """A stream of at least `least` frames made of a few pictures; iterate it as often as wanted.

    Args:
        images: RGB uint8 `(H, W, 3)` each, at least one.
        frame_rate: frames a second, > 0.
        least: frames that must come; the last turn is played to its end.

    Attributes:
        images: the pictures.
        order: which of them each frame is.

    Raises:
        UsageError: `clip_empty`.

    Example:
        >>> import numpy as np
        >>> shades = [np.full((1, 1, 3), value, np.uint8) for value in (1, 2, 3)]
        >>> [int(frame.image[0, 0, 0]) for frame in LoopedClip(shades, frame_rate=25, least=6)]
        [1, 2, 3, 2, 1, 2, 3]
    """

    live = False
    dropped = 0

    def __init__(self, images: Sequence[Image], *, frame_rate: float, least: int) -> None:
        if not images:
            raise UsageError("a clip to loop needs at least one picture", code="clip_empty")
        self.frame_rate = frame_rate
        self.images = list(images)
        self.order = list(there_and_back(len(images), least))

    def __iter__(self) -> Iterator[Frame]:
        for index, place in enumerate(self.order):
            yield Frame(self.images[place], index, index / self.frame_rate)


def there_and_back(count: int, least: int) -> Iterator[int]:
    """0 to count - 1 and back, ends not doubled, until `least` numbers have come and a turn is complete."""
    if count == 1:
        yield from (0 for _ in range(least))
        return
    yield 0
    played, forward = 1, True
    while played < least or played == 1:
        yield from range(1, count) if forward else range(count - 2, -1, -1)
        played, forward = played + count - 1, not forward
