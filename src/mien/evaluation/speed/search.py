"""Exact search of `FaceIndex` beside NumPy's matrix product and faiss's flat index."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import faiss
import numpy as np

from mien.evaluation.speed.comparison import Comparison, interleave
from mien.identity.index import FaceIndex
from mien.records import Float32


def search(faces: int = 50_000, dimension: int = 256, rounds: int = 41) -> list[Comparison]:
    """One comparison each for 1, 8 and 64 probes at a time; half are noisy copies of a row, half strangers."""
    generator = np.random.default_rng(0)
    matrix = _unit(generator.standard_normal((faces, dimension), np.float32))
    probes = generator.standard_normal((64, dimension), np.float32)
    probes[::2] += matrix[:32] * 12
    probes = _unit(probes)
    index = FaceIndex(dimension)
    index.add(matrix, np.arange(faces), np.arange(faces))
    flat = faiss.IndexFlatIP(dimension)
    flat.add(matrix)
    identical = _identical(index, matrix, probes)

    def contenders(count: int) -> dict[str, Callable[[], object]]:
        def batches() -> Iterator[Float32]:
            return (np.roll(probes, -number, axis=0)[:count] for number in itertools.count())

        ours, theirs, others = batches(), batches(), batches()

        def product() -> object:
            some = next(theirs)
            # One row as a vector: NumPy's general product is slower for it.
            return np.argmax(matrix @ some[0]) if count == 1 else np.argmax(some @ matrix.T, axis=1)

        return {
            "mien": lambda: index.search(next(ours), top=1),
            "NumPy product + argmax": product,
            "faiss IndexFlatIP": lambda: flat.search(next(others), 1),
        }

    return [
        Comparison(
            name=f"search, {count} probe{'s' if count > 1 else ''}",
            work=f"{count} x {dimension} against {faces:,} x {dimension}",
            rounds=turns,
            milliseconds=interleave(contenders(count), turns, warm=True),
            facts={"identical to brute force": identical},
        )
        for count, turns in ((1, rounds), (8, max(rounds // 2, 3)), (64, max(rounds // 4, 3)))
    ]


def _identical(index: FaceIndex, matrix: Float32, probes: Float32) -> bool:
    """Whether every probe finds the row and the score that scoring every row in float64 finds."""
    for hits, probe in zip(index.search(probes, top=1), probes, strict=True):
        scores = (matrix * probe.astype(np.float64)).sum(axis=1)
        if hits[0].key != int(np.argmax(scores)) or hits[0].score != scores.max():
            return False
    return True


def _unit(rows: Float32) -> Float32:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
