"""One-to-one verification: LFW pair lists, accuracy by ten folds, ROC figures, error versus reject.

Huang et al., "Labeled Faces in the Wild", UMass Amherst 07-49, 2007; ISO/IEC 19795-1 for FMR, FNMR and DET. A pair
matches where its similarity is at the threshold or above. A picture without a face never matches: its mated pairs are
errors at every threshold, its non-mated pairs are right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.evaluation.extraction import Progress, extract
from mien.evaluation.pairs import read_pairs
from mien.records import Float32

if TYPE_CHECKING:
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

Float64 = NDArray[np.float64]
Bool = NDArray[np.bool_]
Index = NDArray[np.intp]

NEVER = -np.inf
"""Similarity of a pair of which one picture has no face."""


def det_curve(similarity: NDArray[Any], same: Bool) -> tuple[Float64, Float64, Float64]:
    """Detection error trade-off: FMR, FNMR and threshold, `(T,)` each, from the highest threshold down.

    Args:
        similarity: `(P,)`, minus infinity for a pair that cannot match.
        same: bool `(P,)`, True for mated pairs; both kinds must be there.

    Returns:
        FMR rising from 0 and FNMR falling, at each similarity that occurs and, first, at infinity.

    Raises:
        UsageError: `pairs_one_kind`, mated or non-mated pairs are missing.
    """
    mated, non_mated = int(same.sum()), int((~same).sum())
    if not mated or not non_mated:
        raise UsageError(
            f"{mated} mated and {non_mated} non-mated pairs were given; error rates need both", code="pairs_one_kind"
        )
    levels, level = np.unique(-np.asarray(similarity, np.float64), return_inverse=True)
    hits = np.bincount(level, same, len(levels)).cumsum()
    alarms = np.bincount(level, ~same, len(levels)).cumsum()
    possible = levels < np.inf
    thresholds = np.concatenate([[np.inf], -levels[possible]])
    fmr = np.concatenate([[0.0], alarms[possible] / non_mated])
    return fmr, np.concatenate([[1.0], 1 - hits[possible] / mated]), thresholds


def area_under_roc(similarity: NDArray[Any], same: Bool) -> float:
    """Probability that a mated pair is more similar than a non-mated one, ties counting half."""
    fmr, fnmr, _ = det_curve(similarity, same)
    # Pairs that never match close the curve: they are accepted at (1, 1), together.
    return float(np.trapezoid(np.append(1 - fnmr, 1.0), np.append(fmr, 1.0)))


def equal_error_rate(similarity: NDArray[Any], same: Bool) -> float:
    """The rate at which FMR and FNMR are equal, on the line between the two nearest thresholds."""
    fmr, fnmr, _ = det_curve(similarity, same)
    fmr, gap = np.append(fmr, 1.0), np.append(fmr, 1.0) - np.append(fnmr, 0.0)
    after = int((gap >= 0).argmax())
    before = after - 1
    return float(fmr[before] + (fmr[after] - fmr[before]) * gap[before] / (gap[before] - gap[after]))


def threshold_at_fmr(similarity: NDArray[Any], same: Bool, fmr: float) -> float | None:
    """The lowest threshold whose FMR on these pairs is `fmr` at most; None where they are too few to measure it."""
    non_mated = np.sort(np.asarray(similarity, np.float64)[~same])[::-1]
    # The hair keeps 0.001 * 3000 at 3 false matches.
    allowed = int(fmr * len(non_mated) + 1e-9)
    if allowed < 1:
        return None
    return float(np.nextafter(non_mated[allowed], np.inf)) if allowed < len(non_mated) else -1.0


def fold_accuracy(similarity: NDArray[Any], same: Bool, folds: Index) -> Float64:
    """Accuracy in each fold with the threshold that is best on the others, `(F,)` in [0, 1].

    Of all thresholds that are equally good on the others the middle one is taken.
    """
    similarity = np.asarray(similarity, np.float64)
    accuracy = []
    for fold in np.unique(folds):
        inside = folds == fold
        threshold = _best_threshold(similarity[~inside], same[~inside])
        accuracy.append(((similarity[inside] >= threshold) == same[inside]).mean())
    return np.array(accuracy)


def _best_threshold(similarity: Float64, same: Bool) -> float:
    values, position = np.unique(similarity[similarity > NEVER], return_inverse=True)
    if not len(values):
        return np.inf
    # Raising the threshold past a value loses its mated pairs and rejects its non-mated ones.
    gain = np.bincount(position, np.where(same[similarity > NEVER], -1.0, 1.0), len(values))
    right = np.concatenate([[0.0], gain.cumsum()])
    edges = np.concatenate([[values[0] - 1], values, [values[-1] + 1]])
    best = np.flatnonzero(right == right.max())
    middle = best[len(best) // 2]
    return float(edges[middle] + edges[middle + 1]) / 2


def seeded_folds(same: Bool, *, folds: int = 10, seed: int = 0) -> Index:
    """A fold in 0..folds-1 for each pair `(P,)`, each kind of pair spread evenly."""
    order = np.random.default_rng(seed).permutation(len(same))
    order = order[np.argsort(~same[order], kind="stable")]
    fold = np.empty(len(same), np.intp)
    fold[order] = np.arange(len(same)) % folds
    return fold


def verification_figures(similarity: NDArray[Any], same: Bool, folds: Index | None = None) -> dict[str, Any]:
    """The figures of `mien evaluate verification` that come from similarities alone.

    Args:
        similarity: `(P,)`, minus infinity for a pair that cannot match.
        same: bool `(P,)`.
        folds: `(P,)`, or None to cut ten seeded ones.
    """
    accuracy = fold_accuracy(similarity, same, seeded_folds(same) if folds is None else folds)
    rates = {name: threshold_at_fmr(similarity, same, float(name)) for name in ("1e-1", "1e-2", "1e-3")}
    mated = np.asarray(similarity)[same]
    return {
        "accuracy": round(float(accuracy.mean()), 6),
        "accuracy_std": round(float(accuracy.std()), 6),
        "auc": round(area_under_roc(similarity, same), 6),
        "eer": round(equal_error_rate(similarity, same), 6),
        "tar": {
            name: None if value is None else round(float((mated >= value).mean()), 6) for name, value in rates.items()
        },
        "threshold": {
            name: None if value is None else round(value, 6) for name, value in rates.items() if name != "1e-1"
        },
        "pairs": len(same),
    }


def error_versus_reject(
    similarity: NDArray[Any], same: Bool, quality: NDArray[Any], *, fmr: float, rejected: Sequence[float]
) -> Float64:
    """FNMR as the mated pairs of lowest quality are rejected, at the threshold that gives `fmr` over all pairs.

    Grother and Tabassi, "Performance of Biometric Quality Measures", PAMI 2007. A quality that tells how well a face
    can be recognized makes the curve fall.

    Args:
        similarity, same: `(P,)`.
        quality: `(P,)`: of each pair, the lower one of its two pictures.
        fmr: false match rate of the fixed threshold.
        rejected: shares of the mated pairs to reject, in [0, 1).

    Returns:
        float64, one FNMR for each share.

    Raises:
        UsageError: `rate_out_of_range`, the pairs are too few to measure `fmr`.
    """
    threshold = threshold_at_fmr(similarity, same, fmr)
    if threshold is None:
        raise UsageError(
            f"{int((~same).sum())} non-mated pairs cannot measure FMR {fmr:g}; ask for a larger rate",
            code="rate_out_of_range",
        )
    order = np.argsort(np.asarray(quality)[same], kind="stable")
    missed = (np.asarray(similarity)[same] < threshold)[order]
    starts = [min(int(share * len(missed)), len(missed) - 1) for share in rejected]
    return np.array([missed[start:].mean() for start in starts])


def all_pairs(vectors: Float32, *, block: int = 1024) -> Iterator[tuple[Index, Index, Float32]]:
    """Every pair of `N` vectors once, a block of rows at a time.

    Args:
        vectors: float32 `(N, D)`, L2-normalized.
        block: rows compared at a time; memory is about `block * N * 20` bytes.

    Yields:
        First and second index, the first being smaller, and cosine: `(M,)` each.
    """
    for start in range(0, len(vectors), block):
        first, second = np.triu_indices(min(block, len(vectors) - start), 1, len(vectors) - start)
        similarity = vectors[start : start + block] @ vectors[start:].T
        yield first + start, second + start, similarity[first, second]


def evaluate(
    detector: FaceDetector, embedder: FaceEmbedder, images: Path, pairs: Path, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Verify the pairs of an LFW list end to end: the JSON of `mien evaluate verification`.

    Args:
        detector, embedder: loaded and ready.
        images: folder with pictures named `NAME_0001.*`, in sub-folders or flat.
        pairs: the pair list; see `read_pairs`.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: the list or a picture that it names is missing or cannot be read.
    """
    listed = read_pairs(pairs, images)
    extraction = extract(listed.pictures, detector, embedder, progress=progress)
    similarity = np.einsum("ij,ij->i", extraction.vectors[listed.first], extraction.vectors[listed.second])
    both = extraction.found[listed.first] & extraction.found[listed.second]
    return verification_figures(np.where(both, similarity, NEVER), listed.same, listed.folds) | {
        "failed": int((~extraction.found).sum()),
        "model": embedder.name,
        "milliseconds_per_face": round(extraction.milliseconds, 3),
    }
