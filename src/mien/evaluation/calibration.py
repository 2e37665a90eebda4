"""Makes an embedder's calibration: all comparisons of different people, intervals by bootstrap over identities."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.evaluation.extraction import Progress, extract, subjects_of
from mien.evaluation.verification import all_pairs
from mien.identity.operating_point import FORMAT, MEASURABLE_EVENTS
from mien.media.image import find_pictures
from mien.records import Float32

if TYPE_CHECKING:
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

COLUMNS = ("fmr", "threshold", "low", "high", "fnmr", "search_fmr")
SMALLEST_FMR_EXPONENT = -10
LEVELS_PER_DECADE = 10
TAIL_RATE = 1e-3
TAIL_EVENTS = 300
"""The tail is fitted to the top thousandth of the similarities, and to this many at least."""
REPLICATES = 1000
INTERVAL = (2.5, 97.5)

Float64 = NDArray[np.float64]


def calibrate(
    vectors: Float32, subjects: NDArray[Any], *, replicates: int = REPLICATES, seed: int = 0
) -> tuple[Float64, int]:
    """The table of a calibration.

    Down to `MEASURABLE_EVENTS` false matches a threshold is the observed quantile. Below, the similarities above the
    top thousandth are taken as exponential (the Gumbel domain's tail; Pickands, "Statistical Inference Using Extreme
    Order Statistics", 1975): a generalized Pareto fit gives shapes between -0.1 and 0.06 on LFW View 1, and an
    exponential, unlike a negative shape, never claims that a similarity is impossible.

    People, not comparisons, are drawn for the interval: a pair weighs the product of how often its two people were
    drawn, because comparisons that share a person are not independent (Bolle et al., "Error analysis of pattern
    recognition systems - the subsets bootstrap", CVIU 2004).

    The last column lets every pair of people weigh the same, however many pictures there are of them: a search meets
    people, and on LFW View 1 a few who resemble each other have many pictures. With it FPIR = 1 - (1 - FMR)^N holds
    on other people (`benchmarks/search_rate.py`).

    Args:
        vectors: float32 `(N, D)`, L2-normalized.
        subjects: `(N,)`.
        replicates: bootstrap draws.
        seed: of the draws.

    Returns:
        float64 `(L, 6)` with the columns `COLUMNS`, and the number of non-mated comparisons. Every pair is held in
        memory, about 40 bytes each.

    Raises:
        BadInputError: `calibration_too_small`.
    """
    names, subject = np.unique(subjects, return_inverse=True)
    blocks = list(all_pairs(vectors))
    first, second, cosine = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    is_mated = subject[first] == subject[second]
    mated = np.sort(cosine[is_mated].astype(np.float64))
    order = np.argsort(-cosine[~is_mated], kind="stable")
    similarity = cosine[~is_mated][order].astype(np.float64)
    count = len(similarity)
    if count < 10 * TAIL_EVENTS or not len(mated):
        raise BadInputError(
            f"{len(vectors)} pictures with a face of {len(names)} people give {count} comparisons of different people "
            f"and {len(mated)} of one; a calibration needs {10 * TAIL_EVENTS} and 1: give more pictures",
            code="calibration_too_small",
        )
    fmr = 10 ** (-np.arange(-SMALLEST_FMR_EXPONENT * LEVELS_PER_DECADE + 1) / LEVELS_PER_DECADE)
    measured = int((fmr * count >= MEASURABLE_EVENTS).sum())
    allowed = np.minimum((fmr[:measured] * count).astype(np.intp), count - 1)
    # Rounded up, so that the written threshold keeps its rate; -1 lets every pair match.
    threshold = np.ceil(similarity[allowed] * 1e6 + 1e-3) / 1e6
    threshold[0] = -1.0
    tail = max(int(TAIL_RATE * count), TAIL_EVENTS)
    excess = similarity[:tail] - similarity[tail]
    beyond = np.log(fmr[measured - 1] / fmr[measured:])
    threshold = np.concatenate([threshold, threshold[-1] + excess.mean() * beyond])

    ends = np.searchsorted(-similarity, -threshold[:measured], side="right") - 1
    people = (subject[first[~is_mated]][order], subject[second[~is_mated]][order])
    rates = np.empty((replicates, len(fmr)))
    random = np.random.default_rng(seed)
    for row in rates:
        drawn = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
        weight = drawn[people[0]] * drawn[people[1]]
        matches = weight.cumsum()
        row[:measured] = matches[ends] / matches[-1]
        scale = max(float(weight[:tail] @ excess) / max(int(matches[tail - 1]), 1), 1e-6)
        row[measured:] = row[measured - 1] * np.exp((threshold[measured - 1] - threshold[measured:]) / scale)
    low, high = np.percentile(rates, INTERVAL, axis=0)
    fnmr = np.searchsorted(mated, threshold, side="left") / len(mated)
    pictures = np.bincount(subject)
    balanced = (1 / (pictures[people[0]] * pictures[people[1]])).cumsum()
    search = balanced[ends] / balanced[-1]
    search = np.concatenate([search, search[-1] * fmr[measured:] / fmr[measured - 1]])
    return np.column_stack([fmr, threshold, low, high, fnmr, search]), count


def evaluate(
    detector: FaceDetector, embedder: FaceEmbedder, images: Path, output: Path, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Calibrate an embedder on a folder and write the file that `load_calibration` reads.

    The file has no date and no path but the folder's last two names: the same pictures and models write it again.

    Args:
        detector, embedder: loaded and ready.
        images: one sub-folder a subject, or a flat folder of `NAME_0001.jpg`.
        output: the JSON file to write.
        progress: called with pictures done and pictures in all.

    Returns:
        The file's content without its rows.

    Raises:
        BadInputError: too few pictures, one that cannot be read, or `output` cannot be written.
    """
    if not os.access(Path(output).parent, os.W_OK):
        raise BadInputError(
            f"the calibration cannot be written to {output}; give a file in a folder that exists and can be written to",
            code="output_unwritable",
        )
    pictures = find_pictures(images, recursive=True)
    extraction = extract(pictures, detector, embedder, progress=progress)
    found = extraction.found
    rows, comparisons = calibrate(extraction.vectors[found], subjects_of(pictures, images)[found])
    data = "/".join(Path(images).resolve().parts[-2:])
    head: dict[str, Any] = {
        "format": FORMAT,
        "model": embedder.name,
        "fingerprint": embedder.fingerprint.hex(),
        "data": data,
        "data_sha256": _digest(pictures, images),
        "pictures": len(pictures),
        "failed": int((~found).sum()),
        "subjects": len(set(subjects_of(pictures, images)[found].tolist())),
        "comparisons": comparisons,
        "interval": "95%, bootstrap over identities",
        "replicates": REPLICATES,
        "command": f"mien evaluate calibration --images {data} --model {embedder.name} --output {Path(output).name}",
        "columns": list(COLUMNS),
    }
    lines = ",\n".join("  " + json.dumps([float(f"{value:.6g}") for value in row]) for row in rows)
    text = json.dumps(head, indent=1).removesuffix("\n}") + f',\n "rows": [\n{lines}\n ]\n}}\n'
    Path(output).write_text(text, "utf-8")
    return head


def _digest(pictures: list[Path], images: Path) -> str:
    """sha256 over names and contents of the pictures, in their order."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(f"{picture.relative_to(images).as_posix()}\n".encode())
        digest.update(hashlib.sha256(picture.read_bytes()).digest())
    return digest.hexdigest()
