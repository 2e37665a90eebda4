"""A folder of pictures as a video: one frame a picture, in natural order of their names."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Generator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from mien.errors import BadInputError
from mien.media.files import shown
from mien.media.image import find_pictures, read
from mien.records import Frame

_log = logging.getLogger("mien.media.slideshow")


class Slideshow:
    """A folder of pictures. A picture that cannot be read is left out with a warning; its index stays unused.

    Args:
        folder: the folder; its sub-folders are not looked into.
        frame_rate: frames a second.
        start: when the recording started, for `Frame.utc`.

    Attributes:
        name: the folder's path.
        width, height: of the first picture that can be read; others may differ.
        frame_count: number of pictures, readable or not.
        ended_early: always None.

    Raises:
        BadInputError: `folder_without_pictures`, and those of `find_pictures`.
    """

    live = False
    reconnects = 0
    ended_early: str | None = None

    def __init__(self, folder: str | os.PathLike[str], frame_rate: float, start: datetime | None) -> None:
        self.name = shown(folder)
        self.frame_rate = frame_rate
        self._start = start
        pictures = find_pictures(folder)
        self.frame_count: int | None = len(pictures)
        self._read = self._read_all(pictures)
        self._first = next(self._read, None)
        if self._first is None:
            raise BadInputError(
                f"{self.name}: holds no picture that can be read; give a folder of JPEG, PNG, WebP, BMP or TIFF files",
                code="folder_without_pictures",
            )
        self.height, self.width = self._first.image.shape[:2]

    def frames(self, stop: threading.Event) -> Iterator[Frame]:
        """All frames from the first, once; `index` is the place in the folder."""
        frame, self._first = self._first, None
        while frame is not None and not stop.is_set():
            yield frame
            frame = next(self._read, None)

    def close(self) -> None:
        """Let the folder go."""
        self._read.close()

    def _read_all(self, pictures: list[Path]) -> Generator[Frame]:
        for index, path in enumerate(pictures):
            try:
                image = read(path)
            except BadInputError as error:
                _log.warning("%s (left out)", error)
                continue
            time = index / self.frame_rate
            yield Frame(image, index, time, None if self._start is None else self._start + timedelta(seconds=time))
