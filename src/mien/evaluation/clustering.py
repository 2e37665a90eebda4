"""How well clusters agree with the people they should be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.extraction import Progress, extract, subjects_of
from mien.identity.clusters import (
    GRAPH_FMR,
    LINKAGE_FMR,
    average_linkage,
    chinese_whispers,
    dbscan,
    neighbour_graph,
)
from mien.identity.operating_point import load_calibration, threshold_for_fmr
from mien.media.image import find_pictures

if TYPE_CHECKING:
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder


def clustering_figures(label: NDArray[Any], subject: NDArray[Any]) -> dict[str, Any]:
    """Pairwise and B-cubed precision, recall and F, and normalized mutual information.

    Amigó et al., "A comparison of extrinsic clustering evaluation metrics", Information Retrieval 2009; mutual
    information is divided by the mean of the two entropies.

    Args:
        label: `(N,)`, the cluster of each face.
        subject: `(N,)`, the person of each face.

    Returns:
        `{"pairwise": {"precision", "recall", "f"}, "bcubed": {...}, "nmi", "clusters", "subjects"}`; where no pair was
        joined, or no pair should be, precision or recall of pairs is 1.
    """
    clusters, cluster = np.unique(label, return_inverse=True)
    people, person = np.unique(subject, return_inverse=True)
    cells, cell_count = np.unique(cluster * len(people) + person, return_counts=True)
    both = cell_count.astype(np.float64)
    cluster_size = np.bincount(cluster).astype(np.float64)
    person_size = np.bincount(person).astype(np.float64)
    in_cluster, in_person = cluster_size[cells // len(people)], person_size[cells % len(people)]
    joined, wanted, right = (float((size * (size - 1)).sum()) for size in (cluster_size, person_size, both))
    total = float(both.sum())
    information = float((both / total * np.log(both * total / (in_cluster * in_person))).sum())
    entropy = sum(float(-(size / total * np.log(size / total)).sum()) for size in (cluster_size, person_size)) / 2
    return {
        "pairwise": _rates(right / joined if joined else 1.0, right / wanted if wanted else 1.0),
        "bcubed": _rates(
            float((both * both / in_cluster).sum()) / total, float((both * both / in_person).sum()) / total
        ),
        "nmi": round(information / entropy, 6) if entropy else 1.0,
        "clusters": len(clusters),
        "subjects": len(people),
    }


def _rates(precision: float, recall: float) -> dict[str, float]:
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": round(precision, 6), "recall": round(recall, 6), "f": round(f, 6)}


def evaluate(
    detector: FaceDetector, embedder: FaceEmbedder, images: Path, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Cluster the pictures of a folder, one face each: the JSON of `mien evaluate clustering`.

    Args:
        detector, embedder: loaded and ready.
        images: one sub-folder a subject, or a flat folder of `NAME_0001.jpg`.
        progress: called with pictures done and pictures in all.

    Returns:
        The figures of average linkage, which `mien cluster` uses, and under `others` those of the other two. A picture
        without a face counts as a cluster of its own.

    Raises:
        MissingError, BadInputError: the embedder has no calibration, or a picture cannot be read.
    """
    calibration = load_calibration(embedder.name, embedder.fingerprint)
    linkage, edge = (threshold_for_fmr(calibration, fmr).value for fmr in (LINKAGE_FMR, GRAPH_FMR))
    pictures = find_pictures(images, recursive=True)
    extraction = extract(pictures, detector, embedder, progress=progress)
    subjects = subjects_of(pictures, images)
    found, vectors = extraction.found, extraction.vectors[extraction.found]
    graph = neighbour_graph(vectors, edge)

    def figures(label: NDArray[np.intp], fmr: float, threshold: float) -> dict[str, Any]:
        everything = len(pictures) + np.arange(len(pictures))
        everything[found] = label
        return {"fmr": fmr, "threshold": round(threshold, 6)} | clustering_figures(everything, subjects)

    return {
        "algorithm": "average_linkage",
        **figures(average_linkage(vectors, linkage), LINKAGE_FMR, linkage),
        "others": {
            "chinese_whispers": figures(chinese_whispers(graph), GRAPH_FMR, edge),
            "dbscan": figures(dbscan(graph), GRAPH_FMR, edge),
        },
        "pictures": len(pictures),
        "failed": int((~found).sum()),
        "model": embedder.name,
    }
