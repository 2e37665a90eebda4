"""How long an exact search takes beside NumPy and faiss: `python benchmarks/search_probe.py [--faces 50000]`.

Every method runs in turn in each round on the same probes (unit vectors, seeded), and the table gives the medians over
the rounds and their ratios to NumPy's float32 product + argmax. Half of the probes are noisy copies of a row, half are
strangers. The answers of `FaceIndex` are checked against the exact score of every row.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import faiss
import numpy as np

from mien.identity.index import FaceIndex
from mien.records import Float32


def unit_rows(rows: Float32) -> Float32:
    """Rows `(N, D)` scaled to norm 1."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def main() -> None:
    """Measure, check and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=50_000)
    parser.add_argument("--dimension", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=41)
    arguments = parser.parse_args()
    generator = np.random.default_rng(0)
    matrix = unit_rows(generator.standard_normal((arguments.faces, arguments.dimension), np.float32))
    strangers = generator.standard_normal((64, arguments.dimension), np.float32)
    strangers[::2] = matrix[:32] * 12 + strangers[::2]
    probes = unit_rows(strangers)

    index = FaceIndex(arguments.dimension)
    index.add(matrix, np.arange(len(matrix)), np.arange(len(matrix)))
    flat = faiss.IndexFlatIP(arguments.dimension)
    flat.add(matrix)
    half = faiss.IndexScalarQuantizer(arguments.dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    half.add(matrix)
    methods: dict[str, Callable[[Float32], Any]] = {
        "numpy": lambda some: int(np.argmax(matrix @ some[0])) if len(some) == 1 else (some @ matrix.T).argmax(1),
        "faiss flat": lambda some: flat.search(some, 1),
        "faiss fp16 (not exact)": lambda some: half.search(some, 1),
        "mien": lambda some: index.search(some, top=1),
    }
    table = {}
    for count, rounds in (
        (1, arguments.rounds),
        (8, max(arguments.rounds // 4, 3)),
        (64, max(arguments.rounds // 8, 3)),
    ):
        seconds: dict[str, list[float]] = {name: [] for name in methods}
        for number in range(-1, rounds):
            some = np.roll(probes, -number, axis=0)[:count]
            for name, method in methods.items():
                start = perf_counter()
                method(some)
                if number >= 0:
                    seconds[name].append(perf_counter() - start)
        base = median(seconds["numpy"])
        table[f"{count} probes"] = {
            name: {"milliseconds": round(median(times) * 1e3, 3), "ratio": round(median(times) / base, 3)}
            for name, times in seconds.items()
        }
    identical = all(
        hits[0].key == int(np.argmax(scores)) and hits[0].score == scores.max()
        for hits, probe in zip(index.search(probes, top=1), probes, strict=True)
        for scores in [(matrix * probe.astype(np.float64)).sum(axis=1)]
    )
    print(
        json.dumps({"faces": len(matrix), "dimension": arguments.dimension, "identical": identical, **table}, indent=2)
    )


if __name__ == "__main__":
    main()
