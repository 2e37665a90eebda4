"""Tracking metrics: CLEAR MOT, identity and HOTA, for one sequence and for several together.

Each metric is a function from the overlaps of a sequence to counts; counts of several sequences are added before
the ratios are taken, as the MOTChallenge does. CLEAR and identity take boxes for the same object from an IoU of 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import reduce
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.evaluation.motchallenge import OVERLAP, Float64, Overlaps, overlaps, read_results, read_truth
from mien.tracking.assignment import Indices, assign, match

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""The 19 localization thresholds over which HOTA is averaged."""


@dataclass(frozen=True, slots=True)
class _Counts:
    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Clear(_Counts):
    """Counts of the CLEAR MOT metrics; sums over sequences.

    Attributes:
        hits, misses, false_positives: boxes of the truth found and not found, boxes of the results on nothing.
        switches: hits by another result track than at the object's last hit.
        fragmentations: interruptions between an object's first and last hit.
        mostly_tracked, partly_tracked, mostly_lost: objects hit in >= 80%, in between, in < 20% of their frames.
        distance: sum of 1 - IoU over the hits.
    """

    hits: int
    misses: int
    false_positives: int
    switches: int
    fragmentations: int
    mostly_tracked: int
    partly_tracked: int
    mostly_lost: int
    distance: float

    @property
    def mota(self) -> float:
        """1 - (misses + false positives + switches) / boxes of the truth; 0 without truth."""
        boxes = self.hits + self.misses
        return 1 - (self.misses + self.false_positives + self.switches) / boxes if boxes else 0.0

    @property
    def motp(self) -> float:
        """Mean 1 - IoU of the hits, 0 best (`trackeval` prints one minus this)."""
        return self.distance / max(self.hits, 1)

    @property
    def recall(self) -> float:
        """Share of the truth's boxes that were hit."""
        return self.hits / max(self.hits + self.misses, 1)

    @property
    def precision(self) -> float:
        """Share of the results' boxes that hit."""
        return self.hits / max(self.hits + self.false_positives, 1)


@dataclass(frozen=True, slots=True)
class Identity(_Counts):
    """Counts of the identity metrics in boxes; sums over sequences."""

    true_positives: int
    false_positives: int
    false_negatives: int

    @property
    def idf1(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return 2 * self.true_positives / max(2 * self.true_positives + self.false_positives + self.false_negatives, 1)

    @property
    def idp(self) -> float:
        """Identity precision, TP / (TP + FP)."""
        return self.true_positives / max(self.true_positives + self.false_positives, 1)

    @property
    def idr(self) -> float:
        """Identity recall, TP / (TP + FN)."""
        return self.true_positives / max(self.true_positives + self.false_negatives, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Hota(_Counts):
    """Sums of HOTA over sequences, each float64 `(19,)`, one a threshold of ALPHAS.

    Attributes:
        true_positives, false_positives, false_negatives: boxes.
        association: sum over true positives of the association Jaccard of their pair of tracks.
    """

    true_positives: Float64
    false_positives: Float64
    false_negatives: Float64
    association: Float64

    @property
    def deta(self) -> float:
        """Detection accuracy, mean over the thresholds."""
        return float(self._deta().mean())

    @property
    def assa(self) -> float:
        """Association accuracy, mean over the thresholds."""
        return float(self._assa().mean())

    @property
    def hota(self) -> float:
        """Mean over the thresholds of sqrt(DetA AssA)."""
        return float(np.sqrt(self._deta() * self._assa()).mean())

    def _deta(self) -> Float64:
        return self.true_positives / np.maximum(self.true_positives + self.false_positives + self.false_negatives, 1)

    def _assa(self) -> Float64:
        return self.association / np.maximum(self.true_positives, 1)


def clear(sequence: Overlaps) -> Clear:
    """The CLEAR MOT counts of a sequence.

    A pair that was made stays as long as its boxes overlap by half, also over frames in which one was missing; what
    remains is paired so that most are hit, then closest. Bernardin and Stiefelhagen, "Evaluating Multiple Object
    Tracking Performance: The CLEAR MOT Metrics", EURASIP 2008; figures as those of py-motmetrics.
    """
    last = np.full(sequence.truth_tracks, -1)
    history: list[list[bool]] = [[] for _ in range(sequence.truth_tracks)]
    hits = false_positives = switches = 0
    distance = 0.0
    for truth, results, overlap in sequence.moments:
        possible = overlap >= OVERLAP
        rows, columns = _kept_pairs(last[truth], results, possible)
        possible[rows] = possible[:, columns] = False
        new_rows, new_columns = assign(np.where(possible, 1 - overlap, np.inf))
        switches += int(((last[truth[new_rows]] >= 0) & (last[truth[new_rows]] != results[new_columns])).sum())
        last[truth[new_rows]] = results[new_columns]
        hit = np.zeros(len(truth), np.bool_)
        hit[rows] = hit[new_rows] = True
        for track, was_hit in zip(truth.tolist(), hit.tolist(), strict=True):
            history[track].append(was_hit)
        hits += int(hit.sum())
        false_positives += len(results) - int(hit.sum())
        distance += float((1 - overlap[rows, columns]).sum() + (1 - overlap[new_rows, new_columns]).sum())
    shares = np.array([np.mean(track) for track in history])
    runs = [int((np.diff(np.array([False, *track], np.int8)) == 1).sum()) for track in history]
    tracked, lost = int((shares >= 0.8).sum()), int((shares < 0.2).sum())
    boxes = sum(len(track) for track in history)
    return Clear(
        hits=hits,
        misses=boxes - hits,
        false_positives=false_positives,
        switches=switches,
        fragmentations=sum(max(count - 1, 0) for count in runs),
        mostly_tracked=tracked,
        partly_tracked=len(history) - tracked - lost,
        mostly_lost=lost,
        distance=distance,
    )


def identity(sequence: Overlaps) -> Identity:
    """The identity counts of a sequence: each object is given one result track for good.

    Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV workshops 2016.
    """
    together = np.zeros((sequence.truth_tracks, sequence.result_tracks))
    for truth, results, overlap in sequence.moments:
        together[truth[:, None], results] += overlap >= OVERLAP
    rows, columns = match(together, 0)
    true_positives = int(together[rows, columns].sum())
    boxes, found = _sizes(sequence)
    return Identity(true_positives, found - true_positives, boxes - true_positives)


def hota(sequence: Overlaps) -> Hota:
    """The sums of HOTA of a sequence.

    Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021; figures as those of
    `trackeval`.
    """
    truth_count, result_count = np.zeros((sequence.truth_tracks, 1)), np.zeros(sequence.result_tracks)
    together = np.zeros((sequence.truth_tracks, sequence.result_tracks))
    for truth, results, overlap in sequence.moments:
        total = overlap.sum(1, keepdims=True) + overlap.sum(0) - overlap
        together[truth[:, None], results] += np.divide(overlap, total, out=np.zeros_like(total), where=total > 0)
        truth_count[truth] += 1
        result_count[results] += 1
    alignment = together / (truth_count + result_count - together)

    keys: list[Indices] = [np.empty(0, np.intp)]
    similarities: list[Float64] = [np.empty(0)]
    for truth, results, overlap in sequence.moments:
        rows, columns = match(alignment[truth[:, None], results] * overlap, 0)
        keys.append(truth[rows] * sequence.result_tracks + results[columns])
        similarities.append(overlap[rows, columns])
    hit = np.concatenate(similarities)[:, None] >= ALPHAS - np.finfo(np.float64).eps
    pairs, index = np.unique(np.concatenate(keys), return_inverse=True)
    pair_hits = np.zeros((len(pairs), len(ALPHAS)))
    np.add.at(pair_hits, index, hit)
    truth_of, result_of = np.divmod(pairs, max(sequence.result_tracks, 1))
    jaccard = pair_hits / (truth_count[truth_of] + result_count[result_of, None] - pair_hits)

    hits = hit.sum(0).astype(np.float64)
    boxes, found = _sizes(sequence)
    return Hota(hits, found - hits, boxes - hits, (pair_hits * jaccard).sum(0))


def evaluate(truth_files: Sequence[Path | str], result_files: Sequence[Path | str]) -> dict[str, Any]:
    """Measures result files against ground-truth files, both in the MOTChallenge's form.

    Args:
        truth_files: one a sequence.
        result_files: in the order of `truth_files`.

    Returns:
        The contract's row `hota, deta, assa, mota, idf1, id_switches, fp, fn` over all sequences together, and
        `sequences`: the same row for each, with the names of its `truth` and `result` files.

    Raises:
        UsageError: no file, or not as many result files as ground-truth files.
        BadInputError: a file is missing or not in the MOTChallenge's form.
    """
    if not truth_files or len(truth_files) != len(result_files):
        raise UsageError(
            f"{len(truth_files)} ground-truth and {len(result_files)} result files were given; give one result file "
            "for each ground-truth file, in the same order",
            code="track_files_unpaired",
        )
    counts, rows = [], []
    for truth, result in zip(truth_files, result_files, strict=True):
        sequence = overlaps(read_truth(truth), read_results(result))
        counts.append((clear(sequence), identity(sequence), hota(sequence)))
        rows.append({"truth": str(truth), "result": str(result), **_row(*counts[-1])})
    together = reduce(lambda one, other: (one[0] + other[0], one[1] + other[1], one[2] + other[2]), counts)
    return {**_row(*together), "sequences": rows}


def _row(clear_counts: Clear, identity_counts: Identity, hota_sums: Hota) -> dict[str, Any]:
    return {
        "hota": hota_sums.hota,
        "deta": hota_sums.deta,
        "assa": hota_sums.assa,
        "mota": clear_counts.mota,
        "idf1": identity_counts.idf1,
        "id_switches": clear_counts.switches,
        "fp": clear_counts.false_positives,
        "fn": clear_counts.misses,
    }


def _kept_pairs(last: Indices, results: Indices, possible: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Rows and columns of the objects whose last result track is there and `possible`; the first row takes it."""
    same = (last[:, None] == results) & possible
    rows, columns = same.nonzero()
    columns, first = np.unique(columns, return_index=True)
    return rows[first], columns


def _sizes(sequence: Overlaps) -> tuple[int, int]:
    """Boxes of the truth and of the results."""
    return sum(len(moment.truth) for moment in sequence.moments), sum(
        len(moment.results) for moment in sequence.moments
    )
