"""One-to-many identification, as ISO/IEC 19795-1 counts it.

The gallery is the first picture of each subject with two or more; their other pictures are mated probes; subjects with
one picture give the non-mated probes. A picture without a face is never found and never gives an alarm.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.evaluation.extraction import Progress, extract, subjects_of
from mien.media.image import find_pictures
from mien.records import Float32

if TYPE_CHECKING:
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

RATES = (0.01, 0.001)
BLOCK = 1024


def split(subjects: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Which of `N` pictures are gallery, mated probes and non-mated probes.

    Args:
        subjects: `(N,)`, the subject of each picture, pictures in the order in which the first is the enrolled one.

    Returns:
        Three arrays of indices into the pictures, rising.
    """
    _, first, subject, count = np.unique(subjects, return_index=True, return_inverse=True, return_counts=True)
    several = count[subject] > 1
    is_first = np.zeros(len(subjects), bool)
    is_first[first] = True
    return np.flatnonzero(several & is_first), np.flatnonzero(several & ~is_first), np.flatnonzero(~several)


def best_candidates(
    gallery: Float32, enrolled: NDArray[np.bool_], probes: Float32
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The nearest enrolled vector of each probe.

    Args:
        gallery: float32 `(G, D)`, L2-normalized.
        enrolled: bool `(G,)`, False for a gallery picture without a face.
        probes: float32 `(P, D)`, L2-normalized.

    Returns:
        Index into the gallery and cosine, `(P,)` each.
    """
    best = np.zeros(len(probes), np.intp)
    similarity = np.full(len(probes), -np.inf)
    for start in range(0, len(probes) if enrolled.any() else 0, BLOCK):
        rows = np.where(enrolled, probes[start : start + BLOCK] @ gallery.T, -np.inf)
        best[start : start + BLOCK] = rows.argmax(1)
        similarity[start : start + BLOCK] = rows.max(1)
    return best, similarity


def identification_figures(
    right: NDArray[np.bool_], similarity: NDArray[np.float64], strangers: NDArray[np.float64]
) -> dict[str, Any]:
    """Rank-1 rate, and FNIR at fixed FPIR.

    Args:
        right: bool `(M,)`: the best candidate of each mated probe is its subject.
        similarity: float64 `(M,)`: of that candidate, minus infinity where the probe has no face.
        strangers: float64 `(S,)`: of the best candidate of each non-mated probe.

    Returns:
        `{"rank1", "fnir": {"fpir=0.01", "fpir=0.001"}}`; a mated search fails where its subject is not the best
        candidate or is below the threshold. None where the probes are too few to measure a rate.
    """
    fnir: dict[str, float | None] = {}
    descending = np.sort(strangers)[::-1]
    for rate in RATES:
        allowed = int(rate * len(strangers) + 1e-9)
        measured = allowed >= 1 and len(right) > 0
        missed = ~right | ~(similarity > descending[allowed]) if measured else np.zeros(0)
        fnir[f"fpir={rate:g}"] = round(float(missed.mean()), 6) if measured else None
    seen = right & (similarity > -np.inf)
    return {"rank1": round(float(seen.mean()), 6) if len(right) else None, "fnir": fnir}


def evaluate(
    detector: FaceDetector, embedder: FaceEmbedder, images: Path, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Enroll and search the pictures of a folder: the JSON of `mien evaluate identification`.

    Args:
        detector, embedder: loaded and ready.
        images: one sub-folder a subject, or a flat folder of `NAME_0001.jpg`.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: `too_few_subjects`, no subject has two pictures; or a picture cannot be read.
    """
    pictures = find_pictures(images, recursive=True)
    gallery, mated, non_mated = split(subjects_of(pictures, images))
    if not len(gallery):
        raise BadInputError(
            f"none of the {len(pictures)} pictures below {images} shares its subject with another; give one sub-folder "
            "a subject, or files named NAME_0001.jpg",
            code="too_few_subjects",
        )
    extraction = extract(pictures, detector, embedder, progress=progress)
    subjects = subjects_of(pictures, images)
    found, vectors = extraction.found, extraction.vectors
    candidate, similarity = best_candidates(vectors[gallery], found[gallery], vectors[mated])
    _, strangers = best_candidates(vectors[gallery], found[gallery], vectors[non_mated])
    right = subjects[gallery][candidate] == subjects[mated]
    return identification_figures(
        right & found[mated],
        np.where(found[mated], similarity, -np.inf),
        np.where(found[non_mated], strangers, -np.inf),
    ) | {
        "enrolled": len(gallery),
        "mated": len(mated),
        "non_mated": len(non_mated),
        "failed": int((~found).sum()),
        "model": embedder.name,
    }
