"""Clusters that stand in for names."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from mien.identity.reranking import jaccard_blocks, reranked_distances
from mien.training.tasks.pseudo_labels import pseudo_labels


def people(sizes, spread, seed=0):
    random = np.random.default_rng(seed)
    who = np.repeat(np.arange(len(sizes)), sizes)
    vectors = random.normal(size=(len(sizes), 32))[who] + spread * random.normal(size=(len(who), 32))
    return who, (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def dense_jaccard(vectors, k1, k2):
    """Zhong et al.'s k-reciprocal encoding as plain sets and loops, in float64."""
    wide = vectors.astype(np.float64)
    squared = np.maximum(2 - 2 * wide @ wide.T, 0)
    order = np.argsort(squared, axis=1, kind="stable")

    def mutual(row, k):
        return {int(other) for other in order[row, : k + 1] if row in order[other, : k + 1]}

    encoding = np.zeros_like(squared)
    for row in range(len(wide)):
        own = mutual(row, k1)
        members = set(own)
        for other in own:
            theirs = mutual(other, round(k1 / 2))
            if len(theirs & own) > 2 / 3 * len(theirs):
                members |= theirs
        members = sorted(members)
        weight = np.exp(-squared[row, members] / squared[row].max())
        encoding[row, members] = weight / weight.sum()
    encoding = np.stack([encoding[order[row, :k2]].mean(0) for row in range(len(wide))])
    shared = np.minimum(encoding[:, None], encoding[None]).sum(2)
    return 1 - shared / (2 - shared)


def test_jaccard_distances_are_those_of_the_dense_form():
    _, vectors = people([7, 9, 12, 3], spread=0.8)
    found = np.concatenate(list(jaccard_blocks(vectors, neighbours=6, expansion=3)))
    np.testing.assert_allclose(found, dense_jaccard(vectors, 6, 3), atol=1e-5)
    np.testing.assert_allclose(found, found.T, atol=1e-6)
    split = reranked_distances(vectors[:10], vectors[10:], neighbours=6, expansion=3, weight=0.0)
    np.testing.assert_allclose(found[:10, 10:], split, atol=1e-6)


def test_people_apart_are_found_and_loners_left_out():
    who, vectors = people([30, 25, 20, 1], spread=0.3)
    label = pseudo_labels(vectors, neighbours=15, expansion=4)
    assert label[-1] == -1
    assert (label[:-1] == who[:-1]).mean() > 0.9  # the largest first, as `who` has them
    assert set(label) <= {-1, 0, 1, 2}


def test_a_radius_too_small_leaves_nobody():
    _, vectors = people([6, 6], spread=0.6)
    assert (pseudo_labels(vectors, radius=1e-6, neighbours=4, expansion=2) == -1).all()
