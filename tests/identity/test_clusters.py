"""Clustering against SciPy's average linkage, brute-force DBSCAN and made-up albums."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from mien.identity import clusters
from mien.identity.clusters import average_linkage, chinese_whispers, dbscan, in_order, neighbour_graph


def album(people: int = 40, noise: float = 0.35, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors `(N, 64)` around one direction a person, one to nine each, and who is who."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), random.integers(1, 10, people))
    person = random.permutation(person)
    centres = random.normal(size=(people, 64)) / 8
    vectors = centres[person] + noise * random.normal(size=(len(person), 64)) / 8
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), person


def same_partition(first: np.ndarray, second: np.ndarray) -> bool:
    return bool(((first[:, None] == first) == (second[:, None] == second)).all())


@pytest.mark.parametrize("threshold", [0.0, 0.15, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("noise", [0.35, 1.2])
def test_average_linkage_equals_scipy(threshold, noise, monkeypatch):
    monkeypatch.setattr(clusters, "BLOCK", 37)
    vectors, _ = album(noise=noise)
    tree = linkage(pdist(vectors.astype(np.float64), "sqeuclidean") / 2, "average")
    expected = fcluster(tree, 1 - threshold, "distance")
    assert same_partition(average_linkage(vectors, threshold), expected)


def test_every_way_finds_people_that_are_far_apart():
    vectors, person = album()
    graph = neighbour_graph(vectors, 0.6)
    assert same_partition(average_linkage(vectors, 0.6), person)
    assert same_partition(chinese_whispers(graph), person)
    assert same_partition(dbscan(graph), person)


def test_average_linkage_does_not_follow_a_chain_and_dbscan_does():
    angles = np.arange(12) * 0.25
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    graph = neighbour_graph(vectors, 0.95)
    assert len(set(dbscan(graph).tolist())) == 1
    assert len(set(average_linkage(vectors, 0.95).tolist())) > 3


def test_graph_is_symmetric_and_exact(monkeypatch):
    monkeypatch.setattr(clusters, "BLOCK", 17)
    vectors, _ = album()
    graph = neighbour_graph(vectors, 0.5)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -1)
    expected = np.argwhere(cosine >= 0.5)
    assert (
        sorted(zip(graph.source.tolist(), graph.target.tolist(), strict=True)) == expected.tolist()
        or (np.column_stack([graph.source, graph.target]) == expected).all()
    )
    np.testing.assert_allclose(graph.similarity, cosine[graph.source, graph.target], atol=1e-6)


def test_graph_keeps_the_nearest_neighbours():
    vectors, _ = album()
    graph = neighbour_graph(vectors, -1.0, neighbours=3)
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, -2)
    for face in range(len(vectors)):
        assert set(np.argsort(-cosine[face])[:3]) <= set(graph.target[graph.source == face])


@pytest.mark.parametrize("least", [1, 2, 4])
def test_dbscan_equals_the_definition(least):
    vectors, _ = album(noise=0.9, seed=3)
    graph = neighbour_graph(vectors, 0.5, neighbours=len(vectors))
    near = vectors @ vectors.T >= 0.5
    np.fill_diagonal(near, True)
    core = near.sum(1) >= least
    expected = np.arange(len(vectors))
    for start in np.flatnonzero(core):
        if expected[start] == start:
            queue = [start]
            while queue:
                face = queue.pop()
                for other in np.flatnonzero(near[face] & core):
                    if expected[other] != start:
                        expected[other] = start
                        queue.append(other)
            expected[start] = start
    found = dbscan(graph, least=least)
    assert same_partition(found[core], expected[core])
    border = ~core & (near & core).any(1)
    nearest = np.where(near & core, vectors @ vectors.T, -1).argmax(1)
    assert (found[border] == found[nearest[border]]).all()
    noise = found[~core & ~border]
    assert len(set(noise.tolist())) == len(noise)
    assert not set(noise.tolist()) & set(found[core].tolist())


def test_same_seed_same_groups():
    vectors, _ = album(noise=1.0)
    graph = neighbour_graph(vectors, 0.4)
    assert (chinese_whispers(graph, seed=5) == chinese_whispers(graph, seed=5)).all()


def test_labels_are_ordered_by_size_then_first_face():
    assert in_order(np.array([7, 3, 3, 9, 7, 3, 1])).tolist() == [1, 0, 0, 2, 1, 0, 3]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_small_albums(count):
    vectors = np.eye(2, dtype=np.float32)[:count]
    graph = neighbour_graph(vectors, 0.5)
    for label in (average_linkage(vectors, 0.5), chinese_whispers(graph), dbscan(graph)):
        assert label.tolist() == list(range(count))
