"""Makes `tracker_peer.json`: ByteTrack of the `trackers` package and mien's tracker on PETS, figures and speed.

    PYTHONPATH=src ORACLE/bin/python benchmarks/oracles/tracker_peer.py ../shared/data

Both get the evaluated ground-truth boxes as detections of score 1. Rounds alternate; rates are medians, of
processor time. `crowd` is PETS eight times side by side: some 45 people instead of 6.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import supervision
from trackers import ByteTrackTracker

from mien.evaluation.motchallenge import read_truth, write_results
from mien.evaluation.tracking import evaluate
from mien.tracking.tracker import Tracker

ROUNDS = 5
KEYS = ("hota", "deta", "assa", "mota", "idf1", "id_switches", "fp", "fn")


def run_mien(frames: list) -> tuple[float, list]:
    tracker, out = Tracker(frame_rate=7), []
    start = time.process_time()
    for boxes, scores in frames:
        out.append((boxes, tracker.update(boxes, scores).track_ids))
    return time.process_time() - start, out


def run_peer(frames: list) -> tuple[float, list]:
    tracker, out = ByteTrackTracker(), []
    detections = [supervision.Detections(xyxy=boxes, confidence=scores) for boxes, scores in frames]
    start = time.process_time()
    for found in detections:
        followed = tracker.update(found)
        out.append((followed.xyxy, followed.tracker_id + 1))
    return time.process_time() - start, out


def figures(truth_file: Path, out: list) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.txt"
        numbers = np.concatenate([np.full(len(ids), frame) for frame, (_, ids) in enumerate(out, 1)])
        boxes, ids = (np.concatenate(parts) for parts in zip(*out, strict=True))
        write_results(path, numbers, ids, boxes, np.ones(len(ids)))
        row = evaluate([truth_file], [path])
    return {key: row[key] for key in KEYS}


def main() -> None:
    truth_file = Path(sys.argv[1]) / "video/pets09_s2l1_480x360.gt.txt"
    truth = read_truth(truth_file)
    frames = []
    for frame in range(1, truth.frames.max() + 1):
        boxes = truth.boxes[(truth.frames == frame) & truth.evaluated].astype(np.float32)
        frames.append((boxes, np.ones(len(boxes), np.float32)))
    crowd = [
        (np.concatenate([boxes + [1000 * copy, 0] * 2 for copy in range(8)]).astype(np.float32), np.tile(scores, 8))
        for boxes, scores in frames
    ]
    runs = {"mien": run_mien, "trackers": run_peer}
    record: dict = {"trackers": version("trackers"), "numpy": np.__version__, "figures": {}, "speed": {}}
    for name, run in runs.items():
        record["figures"][name] = figures(truth_file, run(frames)[1])
    for scene, detections in (("pets", frames), ("crowd", crowd)):
        seconds = {name: [] for name in runs}
        for _ in range(ROUNDS):
            for name, run in runs.items():
                seconds[name].append(run(detections)[0])
        rates = {name: round(len(detections) / statistics.median(times)) for name, times in seconds.items()}
        ratios = [theirs / ours for ours, theirs in zip(seconds["mien"], seconds["trackers"], strict=True)]
        record["speed"][scene] = {"updates_per_second": rates, "ratio": round(statistics.median(ratios), 2)}
    Path(__file__).with_name("tracker_peer.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
