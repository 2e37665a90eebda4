"""Re-ranking against the paper's dense definition, written out in float64."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from mien.identity.reranking import reranked_blocks, reranked_distances


def dense(query: np.ndarray, gallery: np.ndarray, k1: int = 20, k2: int = 6, weight: float = 0.3) -> np.ndarray:
    """Zhong et al. 2017, equations 3 to 12, one picture at a time."""
    vectors = np.concatenate([query, gallery]).astype(np.float64)
    total = len(vectors)
    squared = (vectors**2).sum(1)
    distance = squared[:, None] + squared - 2 * vectors @ vectors.T
    distance = distance / distance.max(1, keepdims=True)
    rank = distance.argsort(1, kind="stable")

    def mutual(row: int, k: int) -> set[int]:
        return {int(other) for other in rank[row, : k + 1] if row in rank[other, : k + 1]}

    encoding = np.zeros((total, total))
    for row in range(total):
        members = mutual(row, k1)
        grown = set(members)
        for other in members:
            theirs = mutual(other, round(k1 / 2))
            if len(theirs & members) > 2 / 3 * len(theirs):
                grown |= theirs
        columns = sorted(grown)
        weights = np.exp(-distance[row, columns])
        encoding[row, columns] = weights / weights.sum()
    encoding = np.stack([encoding[rank[row, :k2]].mean(0) for row in range(total)])
    result = np.empty((len(query), len(gallery)))
    for row in range(len(query)):
        shared = np.minimum(encoding[row], encoding[len(query) :]).sum(1)
        result[row] = 1 - shared / (2 - shared)
    return (1 - weight) * result + weight * distance[: len(query), len(query) :]


def people(count: int, pictures: int, noise: float, seed: int, dimension: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Vectors around `count` directions, and whose each is."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(count, dimension))
    who = np.repeat(np.arange(count), pictures)
    vectors = centres[who] + noise * random.normal(size=(len(who), dimension))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), who


@pytest.mark.parametrize(("count", "pictures", "noise"), [(30, 9, 0.8), (60, 5, 1.5), (4, 60, 1.0)])
def test_equals_the_dense_definition(count, pictures, noise):
    vectors, who = people(count, pictures, noise, seed=count)
    query, gallery = vectors[::7], np.delete(vectors, np.s_[::7], axis=0)
    assert np.abs(reranked_distances(query, gallery) - dense(query, gallery)).max() < 1e-5
    assert len(set(who.tolist())) == count


@pytest.mark.parametrize(("k1", "k2", "weight"), [(5, 1, 0.0), (7, 3, 0.5), (20, 6, 1.0), (1, 1, 0.3)])
def test_equals_it_with_other_numbers(k1, k2, weight):
    vectors, _ = people(25, 6, 1.2, seed=1)
    ours = reranked_distances(vectors[:40], vectors[40:], neighbours=k1, expansion=k2, weight=weight)
    assert np.abs(ours - dense(vectors[:40], vectors[40:], k1, k2, weight)).max() < 1e-5


def test_blocks_hide_nothing():
    vectors, _ = people(132, 8, 1.0, seed=3)  # more pictures than two blocks of rows
    rows = np.concatenate(list(reranked_blocks(vectors[:600], vectors[600:])))
    assert np.abs(rows - dense(vectors[:600], vectors[600:])).max() < 1e-5


def test_equal_pictures_are_ordered_as_in_the_definition():
    """40 copies of one picture fill more places than there are candidates: rounding must not choose among them."""
    vectors, _ = people(12, 5, 1.0, seed=5)
    copies = np.concatenate([vectors, np.repeat(vectors[:1], 40, axis=0)])
    ours, theirs = reranked_distances(copies[:6], copies[6:]), dense(copies[:6], copies[6:])
    assert np.abs(ours[1:] - theirs[1:]).max() < 1e-5


def test_fewer_pictures_than_neighbours():
    vectors, _ = people(3, 2, 0.5, seed=2)
    assert np.abs(reranked_distances(vectors[:2], vectors[2:]) - dense(vectors[:2], vectors[2:])).max() < 1e-5


def test_nothing_to_rank():
    vectors, _ = people(3, 2, 0.5, seed=2)
    assert reranked_distances(vectors[:0], vectors).shape == (0, 6)
    assert reranked_distances(vectors, vectors[:0]).shape == (6, 0)


def test_brings_matches_forward():
    vectors, who = people(50, 8, 1.2, seed=4)
    query, gallery = np.arange(0, 400, 8), np.flatnonzero(np.arange(400) % 8)

    def found(distances: np.ndarray) -> float:
        nearest = distances.argsort(1)[:, :7]
        return float((who[gallery][nearest] == who[query][:, None]).mean())

    plain = 1 - vectors[query] @ vectors[gallery].T
    assert found(reranked_distances(vectors[query], vectors[gallery])) > found(plain) + 0.05


def test_memory_does_not_grow_with_the_square():
    vectors, _ = people(750, 8, 1.0, seed=6)
    tracemalloc.start()
    for _ in reranked_blocks(vectors[:300], vectors[300:]):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6000 * 6000 * 4 / 2  # half of one dense float32 matrix of all pictures
