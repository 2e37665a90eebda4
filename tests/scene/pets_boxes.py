"""The ground-truth boxes of the PETS clip as tracks, and them once through a `Behaviour`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluation.motchallenge import read_truth
from mien.scene.zones.behaviour import Behaviour, Happening
from mien.scene.zones.zone_file import Zones

WIDTH, HEIGHT, FRAME_RATE = 480, 360, 10.0
TRUTH = "video/pets09_s2l1_480x360.gt.txt"


@dataclass
class Track:
    """One person: seconds `(K,)` and boxes `(K, 4)`."""

    times: np.ndarray
    boxes: np.ndarray

    @property
    def feet(self):
        return np.stack([(self.boxes[:, 0] + self.boxes[:, 2]) / 2, self.boxes[:, 3]], axis=1)

    @property
    def height(self):
        return float(np.median(self.boxes[:, 3] - self.boxes[:, 1]))


def read_tracks(path: Path) -> dict[int, Track]:
    """The people of the clip by their number."""
    truth = read_truth(path)
    tracks = {}
    for number in np.unique(truth.ids):
        mine = truth.ids == number
        tracks[int(number)] = Track((truth.frames[mine] - 1) / FRAME_RATE, truth.boxes[mine])
    return tracks


def zones(**tables: Any) -> Zones:
    """`zones(line=[...])` as a zone file's content."""
    return Zones.model_validate(tables)


def play(
    tracks: dict[int, Track], what: Zones, *, width: int = WIDTH, height: int = HEIGHT, keep: float = 0.0
) -> tuple[Behaviour, list[tuple[float, Happening]]]:
    """Feeds tracks frame by frame, each ended `keep` seconds after it was last seen: behaviour and events."""
    behaviour, told = Behaviour(what), []
    ids = np.concatenate([np.full(len(track.times), number) for number, track in tracks.items()])
    times, boxes = (np.concatenate([getattr(t, name) for t in tracks.values()]) for name in ("times", "boxes"))
    order = np.lexsort((ids, times))
    ids, times, boxes = ids[order], times[order], boxes[order].astype(np.float32)
    ends = {number: track.times[-1] + keep for number, track in tracks.items()}
    frames = np.unique(times)
    starts, stops = np.searchsorted(times, frames), np.searchsorted(times, frames, "right")
    for time, first, last in zip(frames.tolist(), starts, stops, strict=True):
        over = sorted(number for number, end in ends.items() if end < time)
        told += [(float(time), one) for one in behaviour.end(over)]
        for number in over:
            del ends[number]
        told += [
            (float(time), one)
            for one in behaviour.update(ids[first:last], boxes[first:last], time=time, width=width, height=height)
        ]
    told += [(float(frames[-1]), one) for one in behaviour.end(sorted(ends)) + behaviour.finish()]
    return behaviour, told
