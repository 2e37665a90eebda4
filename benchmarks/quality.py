"""The quality score on LFW View 1: does FNMR fall as the worst pairs are rejected, and what does damage do to it?

python benchmarks/quality.py LFW_VIEW1/images
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.evaluation.extraction import extract, nearest_centre, subjects_of
from mien.evaluation.verification import all_pairs, error_versus_reject
from mien.face.detector import FaceDetector
from mien.face.embedder import FaceEmbedder
from mien.media.image import find_pictures, read

REJECTED = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
DAMAGED_PICTURES = 150


def measure(folder: Path) -> dict[str, Any]:
    """The error-versus-reject curves at two rates, and median quality and cosine with the clean copy by damage."""
    detector, embedder = FaceDetector(score=0.3), FaceEmbedder()
    paths = find_pictures(folder, recursive=True)
    extraction = extract(paths, detector, embedder)
    vectors, quality = extraction.vectors, extraction.quality
    subjects = subjects_of(paths, folder)
    first, second, similarity = (np.concatenate(part) for part in zip(*all_pairs(vectors), strict=True))
    same, lower = subjects[first] == subjects[second], np.minimum(quality[first], quality[second])
    curves = {
        f"fmr={fmr:g}": [
            round(float(rate), 4) for rate in error_versus_reject(similarity, same, lower, fmr=fmr, rejected=REJECTED)
        ]
        for fmr in (1e-3, 1e-4)
    }
    chosen = np.random.default_rng(0).permutation(len(paths))[:DAMAGED_PICTURES]
    pictures = [read(paths[at]) for at in chosen]
    damage = {
        name: _damaged(pictures, vectors[chosen], name, detector, embedder)
        for name in (
            "scale 0.5",
            "scale 0.25",
            "scale 0.15",
            "blur 2",
            "blur 4",
            "blur 6",
            "dark 0.25",
            "dark 0.1",
            "noise 20",
        )
    }
    return {
        "quality_percentiles_5_50_95": np.percentile(quality, (5, 50, 95)).round(3).tolist(),
        "rejected": REJECTED,
        "fnmr": curves,
        "damage": damage,
    }


def _damaged(pictures: Any, vectors: Any, name: str, detector: Any, embedder: Any) -> dict[str, float]:
    kind, amount = name.split()
    generator = np.random.default_rng(0)
    qualities, cosines = [], []
    for picture, vector in zip(pictures, vectors, strict=True):
        level = float(amount)
        if kind == "scale":
            image = cv2.resize(picture, None, fx=level, fy=level, interpolation=cv2.INTER_AREA)
        elif kind == "blur":
            image = cv2.GaussianBlur(picture, (0, 0), level)
        elif kind == "dark":
            image = (picture * level).astype(np.uint8)
        else:
            image = np.clip(picture + generator.normal(0, level, picture.shape), 0, 255).astype(np.uint8)
        face = nearest_centre(detector(image), image)
        if face is not None:
            (template,) = embedder(image, [face])
            qualities.append(template.quality)
            cosines.append(float(template.vector @ vector))
    return {
        "found": len(qualities),
        "quality": round(float(np.median(qualities)), 3),
        "cosine_with_clean": round(float(np.median(cosines)), 3),
    }


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1])), indent=1))
