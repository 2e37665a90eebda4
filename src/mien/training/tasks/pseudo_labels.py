"""Who might be who, where nobody has said: clusters of features, noise left out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.identity.clusters import Graph, dbscan
from mien.identity.reranking import jaccard_blocks
from mien.records import Float32
from mien.training.losses.cluster_memory import NOBODY


def pseudo_labels(
    vectors: Float32, *, radius: float = 0.5, least: int = 4, neighbours: int = 20, expansion: int = 6
) -> NDArray[np.int64]:
    """DBSCAN on the Jaccard distance of k-reciprocal neighbours (Zhong et al. 2017), as in Cluster Contrast.

    Args:
        vectors: float32 `(N, D)`, L2-normalized.
        radius: largest Jaccard distance, in (0, 1), of two pictures that are neighbours.
        least: neighbours, the picture itself counted, that make a picture a core.
        neighbours, expansion: of the Jaccard distance, see `mien.identity.reranking`.

    Returns:
        int64 `(N,)`: clusters from 0 by falling size, `NOBODY` (-1) for pictures in no cluster.

    Example:
        >>> vectors = np.repeat(np.eye(3, dtype=np.float32), [5, 4, 1], axis=0)
        >>> pseudo_labels(vectors, neighbours=3, expansion=2).tolist()
        [0, 0, 0, 0, 0, 1, 1, 1, 1, -1]
    """
    label = dbscan(_graph(vectors, radius, neighbours, expansion), least=least).astype(np.int64)
    alone = np.bincount(label, minlength=len(vectors))[label] < 2
    label[alone] = NOBODY
    return label


def _graph(vectors: Float32, radius: float, neighbours: int, expansion: int) -> Graph:
    sources, targets, similarities = [], [], []
    start = 0
    for block in jaccard_blocks(vectors, neighbours=neighbours, expansion=expansion):
        row, column = np.nonzero(block <= radius)
        apart = row + start != column
        row, column = row[apart], column[apart]
        sources.append(row + start)
        targets.append(column)
        similarities.append(1 - block[row, column])
        start += len(block)
    return Graph(len(vectors), np.concatenate(sources), np.concatenate(targets), np.concatenate(similarities))
