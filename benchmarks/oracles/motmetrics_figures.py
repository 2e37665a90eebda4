"""Makes `motmetrics.json`: CLEAR and identity figures of the `motmetrics` package (needs NumPy below 2).

MOTMETRICS/bin/python benchmarks/oracles/motmetrics_figures.py
"""

from __future__ import annotations

import json
import math
import tempfile
from importlib.metadata import version
from pathlib import Path

import motmetrics
import numpy as np

HERE = Path(__file__).parent
EMPTY = ("no_truth", "no_results")  # motmetrics does not read empty files
TRACKEVAL_ONLY = ("classes",)  # motmetrics keeps distractors
NAMES = motmetrics.metrics.motchallenge_metrics[:15]


def main() -> None:
    accumulators = {}
    for name, rows in json.loads((HERE / "sequences.json").read_text()).items():
        if name in EMPTY + TRACKEVAL_ONLY:
            continue
        with tempfile.TemporaryDirectory() as folder:
            truth, results = Path(folder) / "gt.txt", Path(folder) / "test.txt"
            truth.write_text("\n".join(rows["truth"]))
            results.write_text("\n".join(rows["results"]))
            accumulators[name] = motmetrics.utils.compare_to_groundtruth(
                motmetrics.io.loadtxt(truth, min_confidence=1), motmetrics.io.loadtxt(results), "iou", distth=0.5
            )
    summary = motmetrics.metrics.create().compute_many(
        list(accumulators.values()), metrics=NAMES, names=list(accumulators), generate_overall=True
    )
    figures = {
        str(name): {key: None if math.isnan(value) else float(value) for key, value in row.items()}
        for name, row in summary.iterrows()
    }
    record = {"motmetrics": version("motmetrics"), "numpy": np.__version__, "figures": figures}
    (HERE / "motmetrics.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
