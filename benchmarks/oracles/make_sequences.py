"""Makes `sequences.json`: small seeded tracking sequences with every kind of mistake, for the metric oracles.

    python benchmarks/oracles/make_sequences.py

Kept in the repository because random streams may differ between versions of NumPy. NumPy 2.4.6 made the kept file.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FRAMES = 20


def walk(rng: np.random.Generator, count: int, spread: float) -> np.ndarray:
    """Boxes `ltwh` `(FRAMES, count, 4)` of objects that walk about."""
    place = rng.uniform(0, spread, (1, count, 2)) + np.cumsum(rng.normal(0, 4, (FRAMES, count, 2)), axis=0)
    size = rng.uniform([20, 40], [40, 90], (1, count, 2)) * np.ones((FRAMES, 1, 1))
    return np.concatenate([place, size], axis=2)


def sequence(seed: int, *, objects=6, spread=200.0, jitter=0.08, missing=0.15, false=0.15, swaps=0.05, absent=0.1):
    """Rows of the truth (frame, id, l, t, w, h) and of the results, the latter with ids that change hands."""
    rng = np.random.default_rng(seed)
    boxes = walk(rng, objects, spread)
    names = np.arange(objects) + 1
    truth, results = [], []
    for frame in range(FRAMES):
        if rng.random() < swaps * objects and objects > 1:
            one, other = rng.choice(objects, 2, replace=False)
            names[[one, other]] = names[[other, one]]
        if rng.random() < swaps:
            names[rng.integers(objects)] = names.max() + 1
        for number in range(objects):
            if rng.random() < absent:
                continue
            box = boxes[frame, number]
            truth.append([frame + 1, number + 1, *box])
            if rng.random() >= missing:
                off = rng.normal(0, jitter, 4) * np.tile(box[2:], 2)
                results.append([frame + 1, int(names[number]), *(box + off)])
        if rng.random() < false * objects:
            results.append([frame + 1, 1000 + int(rng.integers(4)), *rng.uniform(0, spread, 2), 30, 60])
    return truth, results


def text(rows, tails) -> list[str]:
    return [
        ",".join([str(row[0]), str(row[1]), *(f"{x:.1f}" for x in row[2:]), tail])
        for row, tail in zip(rows, tails, strict=True)
    ]


def main() -> None:
    kinds = {
        "plain": {},
        "perfect": {"jitter": 0.0, "missing": 0.0, "false": 0.0, "swaps": 0.0},
        "swaps": {"swaps": 0.3, "missing": 0.0},
        "gaps": {"missing": 0.5, "absent": 0.4},
        "loose": {"jitter": 0.2},
        "crowd": {"objects": 15, "spread": 150.0},
        "alone": {"objects": 1, "missing": 0.3},
        "false": {"false": 0.9, "missing": 0.6},
    }
    out = {}
    for seed, (name, options) in enumerate(kinds.items()):
        truth, results = sequence(seed, **options)
        tail = "1,-1,-1,-1"
        out[name] = {"truth": text(truth, [tail] * len(truth)), "results": text(results, [tail] * len(results))}
    plain = out["plain"]
    keep = [row for row in plain["results"] if not 8 <= int(row.split(",")[0]) <= 14]
    out["empty_result_frames"] = {"truth": plain["truth"], "results": keep}
    keep = [row for row in plain["truth"] if not 8 <= int(row.split(",")[0]) <= 14]
    out["empty_truth_frames"] = {"truth": keep, "results": plain["results"]}
    early = [row for row in plain["truth"] if int(row.split(",")[0]) <= 10]
    late = [row for row in plain["results"] if int(row.split(",")[0]) > 10]
    out["never_together"] = {"truth": early, "results": late}
    out["no_results"] = {"truth": plain["truth"], "results": []}
    out["no_truth"] = {"truth": [], "results": plain["results"]}
    rng = np.random.default_rng(100)
    truth, results = sequence(20, objects=8)
    zero = rng.random(len(truth)) < 0.2
    tails = [f"{int(not z)},-1,-1,-1" for z in zero]
    out["zero_marked"] = {"truth": text(truth, tails), "results": text(results, ["1,-1,-1,-1"] * len(results))}
    truth, results = sequence(21, objects=14, spread=120.0)
    classes = {number + 1: int(rng.choice([1, 1, 1, 2, 7, 8, 12, 3])) for number in range(14)}
    tails = [f"{int(rng.random() > 0.1 and classes[row[1]] == 1)},{classes[row[1]]},1.0" for row in truth]
    out["classes"] = {"truth": text(truth, tails), "results": text(results, ["1,-1,-1,-1"] * len(results))}
    Path(__file__).with_name("sequences.json").write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
