"""Groups the faces of an album by person: nobody is enrolled, and how many people there are is not known.

Three ways over L2-normalized features, all deterministic. `mien cluster` uses `average_linkage`: on LFW View 1 (test
and training people) it is about as good as the others at their best thresholds and, unlike them, stays good over a
tenfold range of FMR and from 150 to 4,000 people. The others work on the graph of nearest neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.records import Float32

LINKAGE_FMR = 3e-5
"""False match rate of the threshold for `average_linkage`; chosen on LFW View 1."""
GRAPH_FMR = 1e-5
"""False match rate of an edge for `chinese_whispers` and `dbscan`, where one false edge joins two people."""
NEIGHBOURS = 64
"""Nearest neighbours that a vertex of the graph keeps."""
BLOCK = 1024

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Undirected graph of similar faces; each edge is stored in both directions, sorted by `source`.

    Attributes:
        size: vertices.
        source, target: intp `(E,)`.
        similarity: float32 `(E,)`.
    """

    size: int
    source: Index
    target: Index
    similarity: Float32


def neighbour_graph(vectors: Float32, threshold: float, *, neighbours: int = NEIGHBOURS) -> Graph:
    """Join each face with its nearest ones that are similar enough; exact search, in blocks.

    Args:
        vectors: float32 `(N, D)`, L2-normalized.
        threshold: least cosine of an edge.
        neighbours: most edges that start from a face; it may get more from those that it is near to.
    """
    size = len(vectors)
    kept = min(neighbours, size - 1)
    edges: list[Index] = []
    for start in range(0, size if kept > 0 else 0, BLOCK):
        rows = vectors[start : start + BLOCK] @ vectors.T
        own = np.arange(len(rows))
        rows[own, own + start] = -np.inf
        nearest = np.argpartition(-rows, kept - 1, axis=1)[:, :kept]
        row, column = np.nonzero(np.take_along_axis(rows, nearest, 1) >= threshold)
        edges.append(np.column_stack([row + start, nearest[row, column]]))
    pairs = np.concatenate(edges) if edges else np.zeros((0, 2), np.intp)
    codes = np.unique(np.concatenate([pairs @ [size, 1], pairs @ [1, size]]).astype(np.intp))
    source, target = np.divmod(codes, size) if len(codes) else (codes, codes)
    similarity = np.einsum("ij,ij->i", vectors[source], vectors[target]).astype(np.float32)
    return Graph(size, source, target, similarity)


def average_linkage(vectors: Float32, threshold: float) -> Index:
    """Agglomerative clustering: the two most similar clusters merge while the mean cosine between them is high enough.

    The mean cosine of all pairs between two clusters of unit vectors is the product of their mean vectors, so a
    cluster is kept as its sum. Average linkage is reducible: clusters that are each other's best can merge together,
    and one whose best is too far never merges again (Murtagh, "A Survey of Recent Advances in Hierarchical Clustering
    Algorithms", Computer Journal 1983). Hence a few rounds of blocked matrix products and the same tree.

    Args:
        vectors: float32 `(N, D)`, L2-normalized.
        threshold: least mean cosine of a merge.

    Returns:
        intp `(N,)`: cluster of each face, 0 being the largest; see `in_order`.

    Example:
        >>> average_linkage(np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32), 0.5).tolist()
        [1, 0, 0]
    """
    label = np.arange(len(vectors))
    sums = vectors.astype(np.float64)
    counts = np.ones(len(vectors))
    active = np.arange(len(vectors))
    while len(active) > 1:
        best, similarity = _nearest((sums[active] / counts[active, None]).astype(np.float32))
        near = similarity >= threshold
        mutual = near & (best[best] == np.arange(len(active))) & (np.arange(len(active)) < best)
        if not mutual.any():
            break
        kept, gone = active[mutual], active[best[mutual]]
        sums[kept] += sums[gone]
        counts[kept] += counts[gone]
        into = np.arange(len(vectors))
        into[gone] = kept
        label = into[label]
        near[best[mutual]] = False
        active = active[near]
    return in_order(label)


def _nearest(means: Float32) -> tuple[Index, Float32]:
    """For each mean vector `(C, D)` the index of the best other one, and their product."""
    best = np.empty(len(means), np.intp)
    similarity = np.empty(len(means), np.float32)
    for start in range(0, len(means), BLOCK):
        rows = means[start : start + BLOCK] @ means.T
        own = np.arange(len(rows))
        rows[own, own + start] = -np.inf
        best[start : start + BLOCK] = rows.argmax(1)
        similarity[start : start + BLOCK] = rows.max(1)
    return best, similarity


def chinese_whispers(graph: Graph, *, rounds: int = 100, seed: int = 0) -> Index:
    """Each face takes the label that weighs most among its neighbours, until nobody changes.

    Biemann, "Chinese Whispers", TextGraphs 2006. Here a random half of the faces moves at a time, which is one array
    operation and, unlike moving all of them, does not swing between two states.

    Returns:
        intp `(N,)`: cluster of each face, 0 being the largest.
    """
    random = np.random.default_rng(seed)
    label = np.arange(graph.size)
    linked = np.unique(graph.source)
    for _ in range(rounds):
        wanted = label.copy()
        codes, code = np.unique(graph.source * graph.size + label[graph.target], return_inverse=True)
        weight = np.bincount(code, graph.similarity, len(codes))
        face, name = np.divmod(codes, graph.size)
        # Stable and by face: the last row of a face is its heaviest label, ties going to the larger one.
        order = np.lexsort((name, weight, face))
        ends = np.searchsorted(face[order], linked, side="right") - 1
        wanted[linked] = name[order][ends]
        if (wanted == label).all():
            break
        moving = random.random(graph.size) < 0.5
        label = np.where(moving, wanted, label)
    return in_order(label)


def dbscan(graph: Graph, *, least: int = 2) -> Index:
    """Faces with enough neighbours, joined through each other; Ester et al., KDD 1996.

    Args:
        graph: its threshold is DBSCAN's radius.
        least: neighbours, the face itself counted, that make a face a core.

    Returns:
        intp `(N,)`: cluster of each face, 0 being the largest. A face near a core goes to the most similar one's
        cluster; noise is a cluster of its own.
    """
    core = np.bincount(graph.source, minlength=graph.size) + 1 >= least
    between = core[graph.source] & core[graph.target]
    label = _components(graph.size, graph.source[between], graph.target[between])
    reached = ~core[graph.source] & core[graph.target]
    # In rising order of similarity, so that the last one written to a face is its best.
    order = np.flatnonzero(reached)[np.argsort(graph.similarity[reached], kind="stable")]
    label[graph.source[order]] = label[graph.target[order]]
    return in_order(label)


def _components(size: int, source: Index, target: Index) -> Index:
    """The smallest vertex that each vertex is connected with, by hooking and pointer jumping."""
    label = np.arange(size)
    while True:
        lowest = label.copy()
        np.minimum.at(lowest, label[source], label[target])
        while (lowest != (jumped := lowest[lowest])).any():
            lowest = jumped
        renamed = lowest[label]
        if (renamed == label).all():
            return label
        label = renamed


def in_order(label: NDArray[np.intp]) -> Index:
    """Number clusters `(N,)` from 0 by falling size, equal ones by their first face."""
    _, first, inverse, count = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(count), np.intp)
    rank[np.lexsort((first, -count))] = np.arange(len(count))
    return rank[inverse]
