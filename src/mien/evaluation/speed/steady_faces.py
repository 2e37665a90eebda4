"""Which faces of a clip a detector sees in most frames, and whether a tracker gave each of them one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mien.geometry import iou_matrix
from mien.records import Float32

_SAME = 0.3
"""IoU from which two detections of neighbouring frames are the same face."""


def steady_faces(boxes: Sequence[Float32], share: float = 0.5) -> list[dict[int, Float32]]:
    """The faces that are seen in more than `share` of all frames.

    Detections are chained from frame to frame by overlap alone, best pairs first; a chain waits while its face is
    not seen.

    Args:
        boxes: for each frame the detections, `xyxy` `(N, 4)`.
        share: in [0, 1].

    Returns:
        For each such face its box `(4,)` in the frames where it was seen.
    """
    chains: list[dict[int, Float32]] = []
    for frame, found in enumerate(boxes):
        free = set(range(len(found)))
        if chains and free:
            last = np.stack([chain[max(chain)] for chain in chains])
            overlap = iou_matrix(last, found)
            for flat in np.argsort(-overlap, axis=None):
                chain, place = np.unravel_index(flat, overlap.shape)
                if overlap[chain, place] < _SAME:
                    break
                if place in free and frame not in chains[chain]:
                    chains[chain][frame] = found[place]
                    free.discard(int(place))
        chains += [{frame: found[place]} for place in sorted(free)]
    return [chain for chain in chains if len(chain) > share * len(boxes)]


def numbers_of(
    face: Mapping[int, Float32], order: Sequence[int], tracked: Sequence[Mapping[int, Float32]]
) -> dict[int, int]:
    """Track numbers that a face was given, with in how many frames.

    Args:
        face: its box in the frames of the clip where it was seen.
        order: which frame of the clip was played at each time.
        tracked: at each time the tracks' boxes by number.
    """
    counts: dict[int, int] = {}
    for place, tracks in zip(order, tracked, strict=True):
        if place in face and tracks:
            overlap = iou_matrix(face[place][None], np.stack(list(tracks.values())))[0]
            if overlap.max() >= 0.5:
                number = list(tracks)[int(overlap.argmax())]
                counts[number] = counts.get(number, 0) + 1
    return counts
