"""Runs `mien evaluate reid`: pictures of two folders in, figures and rank lists out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.errors import BadInputError
from mien.evaluation.extraction import Progress, in_batches, read_pictures
from mien.evaluation.reid.figures import cosine_distances, pooled_queries, rankings, reid_figures
from mien.evaluation.reid.names import sightings_of
from mien.evaluation.reid.rank_lists import write_rank_lists
from mien.identity.reranking import reranked_blocks
from mien.media.image import find_pictures
from mien.records import Float32

if TYPE_CHECKING:
    from mien.person.embedder import PersonEmbedder

PICTURES_AT_ONCE = 64


def evaluate(
    embedder: PersonEmbedder,
    query: Path,
    gallery: Path,
    *,
    rerank: bool = False,
    multiple: bool = False,
    pictures: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Search for each query among the gallery: the JSON of `mien evaluate reid`.

    Args:
        embedder: loaded and ready.
        query, gallery: folders of crops named as in Market-1501.
        rerank: k-reciprocal re-ranking of all queries and gallery pictures together.
        multiple: multiple query, see `pooled_queries`.
        pictures: folder where rank lists are drawn, made by the caller.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: `no_pictures`, `picture_name_unknown`, `no_matches`, or a picture cannot be read.
    """
    files = [pictures_in(query), pictures_in(gallery)]
    seen = [sightings_of(folder) for folder in files]
    vectors = features(embedder, [*files[0], *files[1]], progress=progress)
    asked, kept = vectors[: len(files[0])], vectors[len(files[0]) :]
    if multiple:
        asked = pooled_queries(asked, seen[0], kept, seen[1])
    if rerank:
        # Junk would take places among the neighbours that the benchmark's rules do not give it.
        counted = np.flatnonzero(seen[1].people >= 0)
        files[1], kept, seen[1] = [files[1][row] for row in counted], kept[counted], seen[1].pick(counted)
    distances = list(reranked_blocks(asked, kept) if rerank else cosine_distances(asked, kept))
    found = rankings(distances, *seen)
    figures = reid_figures(found)
    if not figures["queries"]:
        raise BadInputError(
            f"nobody in {query} is in {gallery} in another camera, so nothing can be measured; give two folders with "
            "the same people",
            code="no_matches",
        )
    if pictures is not None:
        write_rank_lists(pictures, files, seen, np.concatenate(distances), found)
    return {**figures, "gallery": len(files[1]), "reranked": rerank, "multiple_query": multiple, "model": embedder.name}


def features(embedder: PersonEmbedder, pictures: Sequence[Path], *, progress: Progress | None = None) -> Float32:
    """Features float32 `(N, D)`, L2-normalized, of pictures that each show one person from edge to edge."""
    parts = []
    for batch in in_batches(pictures, PICTURES_AT_ONCE):
        parts.append(embedder.vectors(read_pictures(batch)))
        if progress is not None:
            progress(sum(map(len, parts)), len(pictures))
    return np.concatenate(parts)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, at least one.

    Raises:
        BadInputError: `no_pictures`, or the folder cannot be read.
    """
    found = find_pictures(folder)
    if not found:
        raise BadInputError(f"{folder}: holds no picture; give a folder of crops", code="no_pictures")
    return found
