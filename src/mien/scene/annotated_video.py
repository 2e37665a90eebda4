"""The video of a watched stream with what is known of each face and person drawn into it."""

from __future__ import annotations

import os
from collections import deque
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np

from mien.drawing.annotate import annotate
from mien.drawing.regions import draw_line, draw_zone
from mien.drawing.tracks import draw_tracks
from mien.media.writer import VideoWriter
from mien.records import Image
from mien.scene.moment import Moment
from mien.scene.zones.zone_file import Zones

_TRAIL_SECONDS, _LONGEST_TRAIL = 3.0, 200


class AnnotatedVideo:
    """Writes the moments of a stream as an MP4 file; a context manager, the file appears whole or not at all.

    Args:
        path: the file, `.mp4`.
        frame_rate: frames a second, > 0.
        width, height: of the video in pixels. A frame of another size is fitted into it: the pictures of a folder
            differ, and a camera may change its resolution.
        zones: lines and zones to draw, with their counts.

    Raises:
        UsageError, MissingError: those of `VideoWriter`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        frame_rate: float,
        width: int,
        height: int,
        *,
        zones: Zones | None = None,
    ) -> None:
        self._size = (width, height)
        self._zones = zones or Zones()
        self._trails: dict[int, deque[tuple[float, float, float]]] = {}
        self._writer = VideoWriter(path, frame_rate, width, height)

    def add(self, moment: Moment) -> None:
        """Draws into the moment's frame and writes it; the end of a stream shows nothing new and is passed over."""
        if moment.is_end:
            return
        image = moment.frame.image
        self._draw_zones(image, moment.counts)
        draw_tracks(image, moment.people, moment.people_labels, self._trails_at(moment))
        annotate(image, moment.faces, moment.labels)
        self._writer.write(fitted(image, *self._size), moment.frame.time)

    def _draw_zones(self, image: Image, counts: dict[str, Any]) -> None:
        for zone in self._zones.zones:
            seen = counts["zones"][zone.name]
            draw_zone(image, np.array(zone.polygon), f"{zone.name}: {seen['visits']} in, {seen['peak']} at most")
        for line in self._zones.lines:
            seen = counts["lines"][line.name]
            text = f"{line.name}: {seen['forward']} forward, {seen['backward']} back"
            draw_line(image, np.array([line.start, line.end]), text)

    def _trails_at(self, moment: Moment) -> dict[int, list[tuple[float, float]]]:
        """By track, where its foot was in the last seconds, in pixels of this frame, which may have a new size."""
        now, (height, width) = moment.frame.time, moment.frame.image.shape[:2]
        for person in moment.people:
            left, _, right, bottom = (float(value) for value in person.box)
            trail = self._trails.setdefault(person.track_id or 0, deque(maxlen=_LONGEST_TRAIL))
            trail.append((now, (left + right) / 2 / width, bottom / height))
        for track_id, trail in list(self._trails.items()):
            while trail and now - trail[0][0] > _TRAIL_SECONDS:
                trail.popleft()
            if not trail:
                del self._trails[track_id]
        return {track_id: [(x * width, y * height) for _, x, y in trail] for track_id, trail in self._trails.items()}

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
