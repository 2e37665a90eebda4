"""People followed by motion alone and with looks, on the same boxes; and with each parameter halved and doubled.

    .venv/bin/python benchmarks/people_tracking.py CLIP TRUTH.txt [--model person-detection-retail-0013]

Each detection and each look is made once; so the times are not those of `mien watch`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluation.motchallenge import write_results
from mien.evaluation.tracking import evaluate
from mien.media.video import open_video
from mien.person.detector import PersonDetector
from mien.person.embedder import PersonEmbedder
from mien.tracking import appearance, reassignment
from mien.tracking.appearance import AppearanceTracker
from mien.tracking.tracker import Tracker

PARAMETERS = [
    *((appearance, name) for name in ("_TOUCH", "_CLEAR", "_AGAIN_SECONDS", "_WAIT_SECONDS", "_UNSEEN_SECONDS")),
    *((reassignment, name) for name in ("_MOTION", "_OTHER", "_PACE")),
]
BANDS = {"person-detection-retail-0013": {"high": 0.5, "new": 0.6}}


class Clip:
    """The boxes, scores and looks of a clip, found once."""

    def __init__(self, path: str, model: str | None) -> None:
        detector, self._embedder = PersonDetector(model, score=0.1), PersonEmbedder()
        self.frames: list[tuple[Any, Any, Any]] = []
        self._looks: dict[tuple[int, int], Any] = {}
        with open_video(path) as video:
            self.frame_rate = video.frame_rate
            self.size = video.width, video.height
            for frame in video:
                people = detector(frame.image)
                boxes = np.array([person.box for person in people], np.float32).reshape(-1, 4)
                scores = np.array([person.score for person in people], np.float32)
                self.frames.append((boxes, scores, [_patch(frame.image, person.box) for person in people]))
        self.bands = BANDS.get(detector.name, {"high": 0.6, "new": 0.8})

    def looks(self, number: int, places: Any) -> Any:
        """Made when they are first asked for."""
        for place in places.tolist():
            if (number, place) not in self._looks:
                (self._looks[number, place],) = self._embedder.vectors([self.frames[number - 1][2][place]])
        return np.stack([self._looks[number, place] for place in places.tolist()])

    def followed(self, truth: str, with_looks: bool) -> dict[str, Any]:
        tracker: Any = Tracker(frame_rate=self.frame_rate, low=0.1, lost_seconds=2.0, **self.bands)
        follow = AppearanceTracker(tracker, frame_rate=self.frame_rate) if with_looks else None
        rows = []
        for number, (boxes, scores, _) in enumerate(self.frames, 1):
            if follow is None:
                ids = tracker.update(boxes, scores).track_ids
            else:
                ids = follow.update(boxes, scores, partial(self.looks, number), size=self.size).track_ids
            rows += [(number, *row) for row in zip(ids, boxes, scores, strict=True)]
        with tempfile.TemporaryDirectory() as folder:
            result = Path(folder) / "tracks.txt"
            write_results(result, *(np.array(column) for column in zip(*rows, strict=True)))
            figures = evaluate([truth], [result])
        row = {name: round(figures[name], 3) for name in ("hota", "idf1")}
        return (
            row
            | {"tracks": len({row[1] for row in rows if row[1] > 0})}
            | ({"looks": follow.extractions} if follow else {})
        )


def _patch(image: Any, box: Any) -> Any:
    """The part of the picture in a box, as `body_crop` cuts it, before it is stretched."""
    limits = [image.shape[1], image.shape[0]]
    left, top = np.floor(np.clip(box[:2], 0, limits)).astype(int)
    right, bottom = np.ceil(np.clip(box[2:], 0, limits)).astype(int)
    return image[top : max(bottom, top + 1), left : max(right, left + 1)].copy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip")
    parser.add_argument("truth")
    parser.add_argument("--model")
    asked = parser.parse_args()
    clip = Clip(asked.clip, asked.model)
    print(json.dumps({"motion": clip.followed(asked.truth, False), "looks": clip.followed(asked.truth, True)}))
    for module, name in PARAMETERS:
        before = getattr(module, name)
        for factor in (0.5, 2):
            setattr(module, name, before * factor)
            print(json.dumps({"parameter": name, "factor": factor, **clip.followed(asked.truth, True)}))
        setattr(module, name, before)


if __name__ == "__main__":
    main()
