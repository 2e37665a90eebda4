"""Runs `mien evaluate cameras`: learns from some people, follows others, writes what was learned."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cameras.appearance import FORMAT
from mien.cameras.learning import learned_topology
from mien.cameras.topology import topology_text
from mien.errors import BadInputError
from mien.evaluation.extraction import Progress
from mien.evaluation.reid.cross_camera import MEMORY, compare, learned_appearance, recording_clocks, walks_of
from mien.evaluation.reid.names import sightings_of
from mien.evaluation.reid.runner import features, pictures_in
from mien.media.files import replacing, unwritable

if TYPE_CHECKING:
    from mien.person.embedder import PersonEmbedder


def evaluate(
    embedder: PersonEmbedder,
    train: Sequence[Path],
    test: Sequence[Path],
    *,
    calibration: Path | None = None,
    topology: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """The JSON of `mien evaluate cameras`: the figures of `compare`, and how many test pictures there are and were left
    out because too few training people tell the clock of their recording.

    Args:
        embedder: loaded and ready.
        train, test: folders of crops named as in Market-1501, of different people in the same recordings.
        calibration: file for the calibration of appearance, as `load_appearance` reads it.
        topology: file for the learned topology, as `load_topology` reads it.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: `people_in_both`, or what reading pictures and learning raise.
        UsageError: `file_unwritable`.
    """
    files = [[file for folder in folders for file in pictures_in(folder)] for folders in (train, test)]
    seen = [sightings_of(pictures) for pictures in files]
    shared = sorted({*seen[0].people.tolist()} & {*seen[1].people.tolist()} - {0, -1})
    if shared:
        raise BadInputError(
            f"{len(shared)} people are in both sets, such as {shared[0]}; learn from other people than those followed",
            code="people_in_both",
        )
    kept = [[pictures[row] for row in (who.people > 0).nonzero()[0]] for pictures, who in zip(files, seen, strict=True)]
    vectors = features(embedder, [*kept[0], *kept[1]], progress=progress)
    clocks = recording_clocks(seen[0])
    parts = (vectors[: len(kept[0])], vectors[len(kept[0]) :])
    walks = [walks_of(sightings_of(pictures), rows, clocks) for pictures, rows in zip(kept, parts, strict=True)]
    figures = compare(*walks)
    data = "/".join(train[0].resolve().parts[-2:])
    if calibration is not None:
        content = {
            "format": FORMAT,
            "model": embedder.name,
            "fingerprint": embedder.fingerprint.hex(),
            "data": data,
            "people": len(set(walks[0].people.tolist())),
            "tracklets": len(walks[0].tracklets),
            "command": f"mien evaluate cameras --train {data} --test DIR --model {embedder.name} "
            f"--calibration {calibration.name}",
            **{name: round(value, 6) for name, value in asdict(learned_appearance(walks[0], memory=MEMORY)).items()},
        }
        _write(calibration, json.dumps(content, indent=1) + "\n")
    if topology is not None:
        learned = learned_topology(walks[0].tracklets, walks[0].people, memory=MEMORY)
        _write(topology, f"# learned from {data}\n{topology_text(learned)}")
    left_out = len(kept[1]) - int(walks[1].pictures.sum())
    return {**figures, "pictures": len(kept[1]), "left_out": left_out, "model": embedder.name}


def _write(path: Path, text: str) -> None:
    try:
        with replacing(path) as temporary:
            Path(temporary).write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error
