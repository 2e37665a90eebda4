"""Makes `trackeval.json`: HOTA, identity and CLEAR figures of the `trackeval` package.

ORACLE/bin/python benchmarks/oracles/trackeval_figures.py ../shared/data
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

for name, kind in {"float": float, "int": int, "bool": bool}.items():
    if not hasattr(np, name):
        setattr(np, name, kind)  # names that NumPy 1.24 dropped and older releases of trackeval still use

from trackeval.datasets import MotChallenge2DBox  # noqa: E402
from trackeval.metrics import CLEAR, HOTA, Identity  # noqa: E402

HERE = Path(__file__).parent


def prepared(truth: str, results: str, benchmark: str) -> dict:
    """One sequence as trackeval's MOTChallenge reader prepares it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "gt" / f"{benchmark}-train" / "it" / "gt").mkdir(parents=True)
        (root / "gt" / f"{benchmark}-train" / "it" / "gt" / "gt.txt").write_text(truth)
        (root / "trackers" / f"{benchmark}-train" / "t" / "data").mkdir(parents=True)
        (root / "trackers" / f"{benchmark}-train" / "t" / "data" / "it.txt").write_text(results)
        rows = [line for line in (truth + results).splitlines() if line]
        dataset = MotChallenge2DBox(
            {
                "GT_FOLDER": str(root / "gt"),
                "TRACKERS_FOLDER": str(root / "trackers"),
                "BENCHMARK": benchmark,
                "SEQ_INFO": {"it": max(int(float(row.split(",")[0])) for row in rows)},
                "PRINT_CONFIG": False,
            }
        )
        return dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("t", "it"), "pedestrian")


def row(hota: dict, identity: dict, clear: dict) -> dict:
    return {
        "hota": float(np.mean(hota["HOTA"])),
        "deta": float(np.mean(hota["DetA"])),
        "assa": float(np.mean(hota["AssA"])),
        "idf1": float(identity["IDF1"]),
        "idp": float(identity["IDP"]),
        "idr": float(identity["IDR"]),
        "clear": {name: int(clear[name]) for name in ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW")},
    }


def main() -> None:
    data = Path(sys.argv[1])
    inputs = {
        name: ("\n".join(rows["truth"]), "\n".join(rows["results"]), "MOT17" if name == "classes" else "MOT15")
        for name, rows in json.loads((HERE / "sequences.json").read_text()).items()
    }
    fixtures = data / "mot/motmetrics_fixtures/motmetrics/data"
    for name in ("TUD-Campus", "TUD-Stadtmitte"):
        inputs[name] = ((fixtures / name / "gt.txt").read_text(), (fixtures / name / "test.txt").read_text(), "MOT15")
    metrics = [HOTA(), Identity({"PRINT_CONFIG": False}), CLEAR({"PRINT_CONFIG": False})]
    results, figures = {}, {}
    for name, (truth, found, benchmark) in inputs.items():
        with contextlib.redirect_stdout(io.StringIO()):
            sequence = prepared(truth, found, benchmark)
            results[name] = [metric.eval_sequence(sequence) for metric in metrics]
        figures[name] = row(*results[name])
    combined = [metric.combine_sequences({k: v[i] for k, v in results.items()}) for i, metric in enumerate(metrics)]
    figures["COMBINED"] = row(*combined)
    record = {"trackeval": version("trackeval"), "numpy": np.__version__, "figures": figures}
    (HERE / "trackeval.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
