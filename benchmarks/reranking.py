"""Time and memory of re-ranking at the size of Market-1501's test: `python benchmarks/reranking.py [--seed 0]`.

Features are composed (1,500 people, 3,368 queries, 15,913 gallery pictures, 256 numbers each), so that anybody can run
it. A process of its own re-ranks, and its peak memory before and after is compared; prints JSON. Linux.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

from mien.evaluation.reid.figures import rankings, reid_figures
from mien.evaluation.reid.names import Sightings
from mien.evaluation.speed.machine import describe_machine
from mien.identity.reranking import reranked_distances

PEOPLE, QUERIES, GALLERY, DIMENSION = 1500, 3368, 15913, 256
NOISE = 0.9


def composed(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features float32 `(N, D)`, L2-normalized, and whose each is `(N,)`."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(PEOPLE, DIMENSION)).astype(np.float32)
    who = random.integers(1, PEOPLE, QUERIES + GALLERY)
    vectors = centres[who] + NOISE * random.normal(size=(len(who), DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), who


def measured(seed: int) -> dict[str, float]:
    """Seconds and memory of one run in this process, which should be fresh."""
    vectors, who = composed(seed)
    cameras = np.arange(len(who)) % 6
    vectors[:64] @ vectors[:64].T  # the threads of the matrix product are there before memory is looked at
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, work = time.perf_counter(), time.process_time()
    distances = reranked_distances(vectors[:QUERIES], vectors[QUERIES:])
    seconds, processor = time.perf_counter() - start, time.process_time() - work
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    query, gallery = (
        Sightings(who[part], cameras[part], cameras[part], cameras[part])
        for part in (slice(None, QUERIES), slice(QUERIES, None))
    )
    start = time.perf_counter()
    figures = reid_figures(rankings([distances], query, gallery))
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(processor, 2),
        "mebibytes": round(megabytes, 1),
        "evaluation_seconds": round(time.perf_counter() - start, 2),
        "map": figures["map"],
    }


def main() -> None:
    """Measure in a process of its own and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measured(arguments.seed)))
        return
    command = [sys.executable, __file__, "--here", "--seed", str(arguments.seed)]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = {"queries": QUERIES, "gallery": GALLERY, "dimension": DIMENSION}
    print(json.dumps({**size, **figures, "machine": describe_machine()}, indent=2))


if __name__ == "__main__":
    main()
