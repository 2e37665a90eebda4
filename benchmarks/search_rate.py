"""Does a search keep the FPIR that was asked for, on people who were not used to calibrate it?

    python benchmarks/search_rate.py PEOPLE_FOLDER PEOPLE.txt        LFW deep-funneled and its peopleDevTrain.txt

Galleries of random people, one random picture each; probes are everybody else, one random picture each.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from mien.evaluation.extraction import extract
from mien.face.detector import FaceDetector
from mien.face.embedder import FaceEmbedder
from mien.identity.operating_point import load_calibration, threshold_for_fpir

DRAWS = 20


def main(folder: Path, people: Path) -> None:
    """Print the achieved FPIR by size of the gallery and FPIR asked for."""
    embedder = FaceEmbedder()
    table = load_calibration(embedder.name, embedder.fingerprint)
    names = [line.split()[0] for line in people.read_text("utf-8").splitlines()[1:]]
    pictures = [sorted((folder / name).glob("*.jpg")) for name in names]
    extraction = extract([path for paths in pictures for path in paths], FaceDetector(score=0.3), embedder)
    starts = np.concatenate([[0], np.cumsum([len(paths) for paths in pictures])])
    generator = np.random.default_rng(0)
    rows = []
    for enrolled in (50, 200, 361, 1000):
        achieved: dict[float, list[float]] = {0.001: [], 0.01: [], 0.05: []}
        for _ in range(DRAWS):
            chosen = np.array([generator.integers(first, last) for first, last in pairwise(starts)])
            order = generator.permutation(len(names))
            gallery, probes = extraction.vectors[chosen[order[:enrolled]]], extraction.vectors[chosen[order[enrolled:]]]
            best = (probes @ gallery.T).max(1)
            for fpir, rates in achieved.items():
                rates.append(float((best >= threshold_for_fpir(table, fpir, enrolled).value).mean()))
        rows.append(
            {"enrolled": enrolled, **{f"asked {f:g}": round(float(np.mean(r)), 5) for f, r in achieved.items()}}
        )
    print(json.dumps({"people": len(names), "pictures": int(starts[-1]), "achieved": rows}, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
