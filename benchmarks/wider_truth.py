"""Turn the official WIDER FACE validation files (`wider_*_val.mat`) into the JSON that `mien evaluate detection` reads.

Needs scipy (extra `dev`):

    python benchmarks/wider_truth.py GROUND_TRUTH_FOLDER wider_val.json
    python benchmarks/wider_truth.py GROUND_TRUTH_FOLDER wider_report.json report     # one part of mien's split rule
    mien evaluate detection --images WIDER_val/images --truth wider_val.json --json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from scipy.io import loadmat

from mien.training.readers.split import part_of

LEVELS = ("easy", "medium", "hard")


def convert(folder: Path, part: str | None = None) -> dict[str, dict[str, Any]]:
    """`EVENT/NAME.jpg` -> `boxes_xywh` and, for each level, the 0-based indices of the boxes that count there.

    Args:
        folder: with the four `.mat` files.
        part: `train`, `choose` or `report`, of `mien.training.readers.split`; None takes all pictures.
    """
    everything = loadmat(folder / "wider_face_val.mat")
    counted = {level: loadmat(folder / f"wider_{level}_val.mat")["gt_list"] for level in LEVELS}
    truth: dict[str, dict[str, Any]] = {}
    for number, (event,) in enumerate(everything["event_list"]):
        files = everything["file_list"][number][0]
        boxes = everything["face_bbx_list"][number][0]
        for picture, (name,) in enumerate(files):
            entry: dict[str, Any] = {"boxes_xywh": boxes[picture][0].astype(float).tolist()}
            for level in LEVELS:
                # Indices in the .mat files count from 1, as MATLAB does.
                entry[level] = [int(index) - 1 for index in counted[level][number][0][picture][0].ravel()]
            path = f"{event.item()}/{name.item()}.jpg"
            if part is None or part_of(path) == part:
                truth[path] = entry
    return truth


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: python {sys.argv[0]} GROUND_TRUTH_FOLDER OUTPUT.json [train | choose | report]")
    Path(sys.argv[2]).write_text(json.dumps(convert(Path(sys.argv[1]), *sys.argv[3:])), "utf-8")
