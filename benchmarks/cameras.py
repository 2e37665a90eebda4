"""Are four 480p streams followed in real time, and does memory stay flat?

    python benchmarks/cameras.py CLIP [--seconds 60] [--cameras 4] [--rate 15]

Every camera plays the clip from another place of it, over and over, enlarged to 640x480 and stamped as so many frames a
second; frames are handed out as fast as they are taken, so that an hour passes faster than an hour where the machine
can. `real_time` above 1 means that more was followed than came in. Resident memory is sampled, and the median of each
quarter given. Prints JSON. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import cv2

from mien.cameras.site import Site
from mien.cameras.topology import Topology
from mien.evaluation.speed.machine import describe_machine
from mien.media.frame_memory import share_arenas
from mien.media.video import open_video
from mien.records import Frame, Image

WIDTH, HEIGHT = 640, 480
EVERY = 60


@dataclass(frozen=True)
class Camera:
    """Plays a clip from its frame `start` for `frames` frames."""

    clip: Path
    start: int
    frames: int
    frame_rate: float
    live: bool = False
    dropped: int = 0

    def __iter__(self) -> Iterator[Frame]:
        for index, image in enumerate(islice(self._pictures(), self.frames)):
            yield Frame(cv2.resize(image, (WIDTH, HEIGHT)), index, index / self.frame_rate)

    def _pictures(self) -> Iterator[Image]:
        skipped = self.start
        while True:
            with open_video(self.clip) as video:
                for frame in islice(video, skipped, None):
                    yield frame.image
            skipped = 0


def resident() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Follow, sample and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each stream")
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--rate", type=float, default=15.0, help="frames a second of each stream")
    arguments = parser.parse_args()
    share_arenas()
    names = [f"camera {number + 1}" for number in range(arguments.cameras)]
    rate = arguments.rate
    frames = round(arguments.seconds * rate)
    site = Site(Topology.model_validate({"camera": [{"name": name} for name in names]}))
    streams = {name: Camera(arguments.clip, 150 * number, frames, rate) for number, name in enumerate(names)}
    samples: list[float] = []
    taken = people = decisions = 0
    start, work = time.perf_counter(), time.process_time()
    for moment in site.follow(streams):
        taken += not moment.is_end
        people += len(moment.people)
        decisions += sum(event["event"] in ("first_seen", "seen_again") for event in moment.events)
        if taken % EVERY == 0:
            samples.append(resident())
    seconds, processor = time.perf_counter() - start, time.process_time() - work
    size = max(len(samples) // 4, 1)
    quarters = [median(samples[at * size : (at + 1) * size]) for at in range(4)]
    record = {
        "clip": arguments.clip.name,
        "cameras": len(names),
        "seconds": arguments.seconds,
        "rate": rate,
        "frames": taken,
        "people_a_frame": round(people / taken, 2),
        "decisions": decisions,
        "frames_a_second": round(taken / seconds, 1),
        "real_time": round(taken / seconds / (rate * len(names)), 3),
        "processor_milliseconds_a_frame": round(1000 * processor / taken, 1),
        "mebibytes_by_quarter": [round(quarter, 1) for quarter in quarters],
        "last_to_second_quarter": round(quarters[3] / quarters[1], 4),
        "machine": describe_machine(),
    }
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
