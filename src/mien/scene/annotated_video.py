"""The video of a watched stream with what is known of each face drawn into it."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from mien.drawing.annotate import annotate
from mien.media.writer import VideoWriter
from mien.records import Image
from mien.scene.watcher import Moment


class AnnotatedVideo:
    """Writes the moments of a stream as an MP4 file; a context manager, the file appears whole or not at all.

    Args:
        path: the file, `.mp4`.
        frame_rate: frames a second, > 0.
        width, height: of the video in pixels. A frame of another size is fitted into it: the pictures of a folder
            differ, and a camera may change its resolution.

    Raises:
        UsageError, MissingError: those of `VideoWriter`.
    """

    def __init__(self, path: str | os.PathLike[str], frame_rate: float, width: int, height: int) -> None:
        self._size = (width, height)
        self._writer = VideoWriter(path, frame_rate, width, height)

    def add(self, moment: Moment) -> None:
        """Draws into the moment's frame and writes it; the end of a stream shows nothing new and is passed over."""
        if moment.is_end:
            return
        image = moment.frame.image
        annotate(image, moment.faces, moment.labels)
        self._writer.write(fitted(image, *self._size), moment.frame.time)

    def __enter__(self) -> Self:
        self._writer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.__exit__(kind, error, traceback)


def fitted(image: Image, width: int, height: int) -> Image:
    """A picture `(H, W, 3)` whole and in the middle of one of `height` x `width`, black where it does not reach.

    Example:
        >>> fitted(np.full((10, 10, 3), 255, np.uint8), 40, 20)[10, ::10, 0].tolist()
        [0, 255, 255, 0]
    """
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    resized = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas = np.zeros((height, width, 3), np.uint8)
    canvas[top : top + inner[1], left : left + inner[0]] = resized
    return canvas
