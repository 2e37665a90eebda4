"""Time of one update of the trackers: `python benchmarks/tracker_update.py [--boxes 50] [--frames 400]`.

People walk through a picture of 1920x1080 pixels, some of them passing each other; looks cost nothing here. The plain
tracker and the one with looks take turns frame by frame; prints JSON with the medians and the 95th percentiles.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from mien.evaluation.speed.machine import describe_machine
from mien.tracking.appearance import AppearanceTracker
from mien.tracking.tracker import Tracker

SIZE = 1920, 1080
WARM = 20


def walks(boxes: int, frames: int, seed: int) -> np.ndarray:
    """Boxes float32 `(frames, boxes, 4)` of people of 60x160 pixels who turn back at the picture's border."""
    random = np.random.default_rng(seed)
    person = np.array([60.0, 160.0])
    room = np.array(SIZE) - person
    start, pace = random.uniform(0, 2 * room, (boxes, 2)), random.normal(0, 2, (boxes, 2))
    way = (start + pace * np.arange(frames)[:, None, None]) % (2 * room)
    corner = np.minimum(way, 2 * room - way) + random.normal(0, 0.5, way.shape)
    return np.concatenate([corner, corner + person], axis=2).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boxes", type=int, default=50)
    parser.add_argument("--frames", type=int, default=400)
    asked = parser.parse_args()
    looks = np.linalg.qr(np.random.default_rng(1).normal(size=(256, asked.boxes)))[0].T.astype(np.float32)
    scores = np.full(asked.boxes, 0.9, np.float32)
    plain, following = Tracker(), AppearanceTracker(Tracker(), frame_rate=25)
    milliseconds: dict[str, list[float]] = {"motion": [], "looks": []}
    for boxes in walks(asked.boxes, asked.frames, 0):
        start = time.perf_counter()
        plain.update(boxes, scores)
        between = time.perf_counter()
        following.update(boxes, scores, looks.__getitem__, size=SIZE)
        end = time.perf_counter()
        milliseconds["motion"].append(1e3 * (between - start))
        milliseconds["looks"].append(1e3 * (end - between))
    figures = {
        name: {"median": round(float(np.median(times)), 3), "p95": round(float(np.percentile(times, 95)), 3)}
        for name, times in ((name, times[WARM:]) for name, times in milliseconds.items())
    }
    ratio = figures["looks"]["median"] / figures["motion"]["median"]
    record = {"boxes": asked.boxes, "milliseconds": figures, "ratio": round(ratio, 2), "looks": following.extractions}
    print(json.dumps(record | {"machine": describe_machine()}, indent=2))


if __name__ == "__main__":
    main()
