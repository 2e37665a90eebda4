"""Does the memory of `mien watch` stay flat? `python benchmarks/memory.py CLIP [--frames 20000]`.

One watcher with a gallery of 1,000 faces watches the clip over and over: it is opened and decoded anew each time, so
that tracks begin and end all the while. Resident memory is sampled every 100 frames; prints JSON with the median of
each quarter, and whether the last lies within 5% of the second. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from mien.evaluation.speed.machine import describe_machine
from mien.evaluation.speed.watch import ENROLLED, strangers
from mien.media.frame_memory import share_arenas
from mien.media.video import open_video
from mien.records import Frame
from mien.scene.watcher import Watcher

EVERY = 100


@dataclass(frozen=True)
class Endless:
    """A clip that starts again when it is over, for `frames` frames."""

    clip: Path
    frames: int
    frame_rate: float = 25.0
    live: bool = False
    dropped: int = 0

    def __iter__(self) -> Iterator[Frame]:
        index = 0
        while True:
            with open_video(self.clip) as video:
                for frame in video:
                    if index == self.frames:
                        return
                    yield Frame(frame.image, index, index / self.frame_rate)
                    index += 1


def resident() -> float:
    """Resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """Watch, sample and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--frames", type=int, default=20_000)
    arguments = parser.parse_args()
    share_arenas()
    with strangers() as collection:
        watcher = Watcher(collection)
        moments = watcher.watch(Endless(arguments.clip, arguments.frames))
        samples = [resident() for moment in moments if not moment.is_end and moment.frame.index % EVERY == 0]
    size = len(samples) // 4
    quarters = [median(samples[start * size : (start + 1) * size]) for start in range(4)]
    record = {
        "clip": arguments.clip.name,
        "enrolled": ENROLLED,
        "summary": watcher.summary.to_dict(),
        "mebibytes_by_quarter": [round(value, 1) for value in quarters],
        "last_to_second_quarter": round(quarters[3] / quarters[1], 4),
        "flat": abs(quarters[3] / quarters[1] - 1) <= 0.05,
        "mebibytes": [round(value, 1) for value in samples[::10]],
        "machine": describe_machine(),
    }
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
