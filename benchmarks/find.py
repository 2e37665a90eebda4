"""`mien find` on the PETS clip beside colour histograms, and the time of a query in an index of many people.

python benchmarks/find.py CLIP.mp4 TRUTH.txt [TRACKS]

Queries: for each identity of the truth, its box in the frame in which it is largest and hidden least, cut from the
frame. Boxes of tracks within half a second of that frame count neither as found nor as missing.

`time_map` is what the bar is about. Boxes of the truth are what is to be found. Going down the ranked tracks, each
adds all its boxes: true are those that match the identity's box of their frame (one to one, IoU 0.5 or more).
Precision is the share of true ones among all boxes so far, recall the share of the identity's boxes. AP is the sum over
tracks of the recall that each adds times the precision after it: what the tracker missed or mixed up lowers it, too.
`other_tracks_map` is stricter: the track that shows the queried instant is left out, and what it covers of the truth;
identities with less than a second left are not asked. `track_map` counts tracks: relevant are those of which most
boxes match the identity; an identity without one has 0.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.archive.archive import Archive
from mien.archive.describing import Describer
from mien.archive.files import VideoFile
from mien.archive.finding import Finder
from mien.archive.index import TrackIndex, index_of
from mien.archive.query import Query
from mien.archive.records import Track
from mien.archive.wanted import wanted_of
from mien.evaluation.motchallenge import OVERLAP, Boxes, read_truth
from mien.geometry import box_area, iou_matrix
from mien.media.image import decode
from mien.media.video import open_video
from mien.person.crop import body_crop
from mien.records import Image
from mien.scene.moment import Moment
from mien.scene.watcher import Watcher
from mien.settings import settings
from mien.tracking.assignment import match

ASIDE_SECONDS = 0.5
ROUNDS = 21


def instants(truth: Boxes) -> dict[int, tuple[int, np.ndarray]]:
    """Of each identity the frame, from 1, and box where it is largest and hidden least."""
    chosen: dict[int, tuple[int, np.ndarray]] = {}
    worths: dict[int, float] = {}
    for frame in np.unique(truth.frames):
        here = truth.frames == frame
        boxes, area = truth.boxes[here], box_area(truth.boxes[here])
        corner = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        size = np.maximum(np.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - corner, 0)
        shared = size[..., 0] * size[..., 1] / area[:, None]
        np.fill_diagonal(shared, 0)
        for number, box, worth in zip(
            truth.ids[here].tolist(), boxes, area * (1 - shared.max(1).clip(0, 1)), strict=True
        ):
            if worth > worths.get(number, 0):
                worths[number], chosen[number] = float(worth), (int(frame), box)
    return chosen


def watch(
    moments: Iterator[Moment], wanted: dict[int, tuple[int, np.ndarray]], describer: Describer
) -> tuple[list[Track], list[tuple[int, int, np.ndarray]], dict[int, Image]]:
    """The stretches that the archive keeps; every box as (frame from 1, number of its stretch, box); the queries."""
    boxes, crops = [], {}

    def looked_at() -> Iterator[Moment]:
        for moment in moments:
            frame = moment.frame.index + 1
            if not moment.is_end:
                boxes.extend((frame, moment.frame.time, person.track_id, person.box) for person in moment.people)
                for number, (at, box) in wanted.items():
                    if at == frame:
                        left, top, right, bottom = box.round().astype(int)
                        crops[number] = body_crop(moment.frame.image, box, bottom - top, right - left)
            yield moment

    tracks = list(describer(looked_at()))
    placed = []
    for frame, seconds, track_id, box in boxes:
        (place,) = (
            place
            for place, track in enumerate(tracks)
            if track.track_id == track_id and track.began <= seconds <= track.ended
        )
        placed.append((frame, place, box))
    return tracks, placed, crops


def histogram(image: Image, stripes: int) -> np.ndarray:
    """Hue, saturation and value, 8 x 4 x 4, of stripes of a body from top to bottom: square roots of shares."""
    parts = np.array_split(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), stripes)
    counts = [cv2.calcHist([part], [0, 1, 2], None, [8, 4, 4], [0, 180, 0, 256, 0, 256]).ravel() for part in parts]
    shares = np.concatenate([count / max(count.sum(), 1) for count in counts]) / stripes
    return np.sqrt(shares).astype(np.float32)  # the cosine of two is their Bhattacharyya coefficient


def histograms(track: Track, stripes: int) -> np.ndarray:
    """As `Track.features`, of colours: the mean and each shot, unit length."""
    shots = np.array([histogram(decode(shot.jpeg), stripes) for shot in track.shots])
    mean = shots.mean(0)
    return np.concatenate([mean[None] / np.linalg.norm(mean), shots])


class Judge:
    """The truth beside the boxes of tracks."""

    def __init__(self, truth: Boxes, found: list[tuple[int, int, np.ndarray]], rate: float) -> None:
        self.truth, self.aside = truth, round(ASIDE_SECONDS * rate)
        self.rate = rate
        self.frames = np.array([row[0] for row in found])
        self.tracks = np.array([row[1] for row in found])
        boxes = np.array([row[2] for row in found], np.float64)
        self.identity = np.full(len(found), -1)
        for frame in np.unique(truth.frames):
            there, here = np.flatnonzero(truth.frames == frame), np.flatnonzero(self.frames == frame)
            overlap = iou_matrix(truth.boxes[there], boxes[here])
            rows, columns = match(np.where(overlap >= OVERLAP, overlap, 0), 0)
            self.identity[here[columns]] = truth.ids[there[rows]]

    def judge(self, identity: int, instant: int, ranked: list[int]) -> dict[str, float | None]:
        """The three average precisions of tracks ranked for an identity that was queried at a frame."""
        away = np.abs(self.frames - instant) > self.aside
        mine = self.identity == identity
        true_frames = self.truth.frames[self.truth.ids == identity]
        total = int((np.abs(true_frames - instant) > self.aside).sum())
        asked = set(self.tracks[mine & (self.frames == instant)].tolist())
        covered = int((mine & away & np.isin(self.tracks, list(asked))).sum())
        others = [track for track in ranked if track not in asked]
        left = total - covered
        is_asked = left >= self.rate
        relevant = [mine[self.tracks == track].mean() > 0.5 for track in ranked]
        hits = np.cumsum(relevant)
        precision = hits / np.arange(1, len(ranked) + 1)
        return {
            "time_map": self._over_time(ranked, mine, away, total),
            "other_tracks_map": self._over_time(others, mine, away, left) if is_asked else None,
            "track_map": float((precision * relevant).sum() / hits[-1]) if hits[-1] else 0.0,
        }

    def best_order(self, identity: int, count: int) -> list[int]:
        """The stretches in the order of their share of boxes that match an identity."""
        mine = self.identity == identity
        return sorted(range(count), key=lambda track: -float(mine[self.tracks == track].mean()))

    def _over_time(self, ranked: list[int], mine: np.ndarray, away: np.ndarray, total: int) -> float:
        value, true, shown = 0.0, 0, 0
        for track in ranked:
            rows = (self.tracks == track) & away
            added = int((rows & mine).sum())
            true, shown = true + added, shown + int(rows.sum())
            value += added / max(total, 1) * true / max(shown, 1)
        return value


def accuracy(clip: Path, truth_file: Path) -> tuple[dict[str, Any], list[Track], np.ndarray]:
    """The figures of each way to rank; the stretches, and the queries' looks."""
    truth = read_truth(truth_file)
    wanted = instants(truth)
    describer = Describer()
    watcher = Watcher(people=True)
    with open_video(clip) as stream:
        tracks, boxes, crops = watch(watcher.watch(stream), wanted, describer)
        judge = Judge(truth, boxes, stream.frame_rate)
    return compare(judge, wanted, tracks, crops, describer)


def compare(
    judge: Judge,
    wanted: dict[int, tuple[int, np.ndarray]],
    tracks: list[Track],
    crops: dict[int, Image],
    describer: Describer,
) -> tuple[dict[str, Any], list[Track], np.ndarray]:
    """As `accuracy`, of what was watched."""
    numbers = sorted(crops)
    looks = describer.embedder.vectors([crops[number] for number in numbers])
    count = len(tracks)
    people, means = _index([t.features for t in tracks]), _index([t.features[:1] for t in tracks])
    striped, whole = (_index([histograms(track, stripes) for track in tracks]) for stripes in (3, 1))

    def plain(index: TrackIndex, query: np.ndarray) -> np.ndarray:
        return np.argsort(-index.similarities(query), kind="stable")

    rankings = {
        "mien find": lambda place, crop: people.best(looks[place], count)[0],
        "mien find --rerank": lambda place, crop: people.best_reranked(looks[place], count)[0],
        "the query alone": lambda place, crop: plain(people, looks[place]),
        "the query alone, mean looks": lambda place, crop: plain(means, looks[place]),
        "colour histogram": lambda place, crop: plain(whole, histogram(crop, 1)),
        "colour histograms of three stripes": lambda place, crop: plain(striped, histogram(crop, 3)),
        "the best order there is": lambda place, crop: judge.best_order(numbers[place], count),
    }
    figures: dict[str, Any] = {}
    for name, rank in rankings.items():
        rows = [
            judge.judge(number, wanted[number][0], list(rank(place, crops[number])))
            for place, number in enumerate(numbers)
        ]
        figures[name] = {
            measure: round(float(np.mean([row[measure] for row in rows if row[measure] is not None])), 3)
            for measure in rows[0]
        }
        figures[name]["other_tracks_queries"] = sum(row["other_tracks_map"] is not None for row in rows)
    return {"queries": len(numbers), "tracks": count, "ways": figures}, tracks, looks


def _index(rows: list[np.ndarray]) -> TrackIndex:
    return index_of([(1, np.concatenate(rows), [len(row) for row in rows], np.zeros((len(rows), 1), np.float32))])


def speed(tracks: list[Track], looks: np.ndarray, count: int) -> dict[str, Any]:
    """Milliseconds in an archive of `count` tracks: those of the clip again and again, features disturbed by noise."""
    rng = np.random.default_rng(0)

    def disturbed(track: Track) -> Track:
        noisy = track.features + rng.normal(0, 0.05, track.features.shape)
        return replace(track, features=(noisy / np.linalg.norm(noisy, axis=1, keepdims=True)).astype(np.float32))

    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        os.environ["MIEN_KEY_FILE"] = f"{folder}/master.key"
        settings.cache_clear()
        path = Path(folder) / "archive.db"
        with Archive.open(path) as archive:
            for start in range(0, count, 500):
                many = [disturbed(tracks[at % len(tracks)]) for at in range(start, min(start + 500, count))]
                file = VideoFile(f"/{start}.mp4", start, 0)
                archive.add(
                    file, str(start), many, seconds=360.0, frames=3600, model="benchmark", fingerprint=bytes(16)
                )
        size = path.stat().st_size
        began = time.perf_counter()
        with Archive.open(path) as archive:
            finder = Finder(archive, archive.videos())
            load = time.perf_counter() - began
            timed = {}
            wanted = wanted_of("blue top, backpack")
            queries = [Query(look, np.zeros((1, 1, 3), np.uint8), 1) for look in looks]
            ways = {
                "picture": lambda at: finder.by_picture(queries[at % len(queries)]),
                "picture_reranked": lambda at: finder.by_picture(queries[at % len(queries)], rerank=True),
                "attributes": lambda at: finder.by_attributes(wanted),
            }
            for name, search in ways.items():
                times = []
                for at in range(ROUNDS):
                    start_time = time.perf_counter()
                    search(at)
                    times.append(time.perf_counter() - start_time)
                timed[name] = {"median": round(np.median(times) * 1e3, 1), "slowest": round(max(times) * 1e3, 1)}
    return {"tracks": count, "megabytes": round(size / 1e6, 1), "open_and_load_ms": round(load * 1e3, 1), "ms": timed}


if __name__ == "__main__":
    found, kept, asked = accuracy(Path(sys.argv[1]), Path(sys.argv[2]))
    many = int(sys.argv[3]) if len(sys.argv) > 3 else 5000
    load_average = [round(value, 1) for value in os.getloadavg()]
    print(json.dumps(found | {"speed": speed(kept, asked, many), "load": load_average}, indent=1))
