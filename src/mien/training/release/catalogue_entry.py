"""A trained network as an entry of the catalogue: what `mien.models.catalogue` loads, so that it runs like others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from inspect import signature
from pathlib import Path
from typing import Any

from torch import nn

from mien.training.data.input_format import InputFormat
from mien.training.networks.anchor_free_detector import STRIDES
from mien.training.parts import named
from mien.training.recipe import Recipe, to_toml
from mien.training.release.provenance import TaughtBy, taught_by

RESEARCH_ONLY = "LicenseRef-research-only"
"""Licence of weights that come from data for research only."""
UNSTATED = "NOASSERTION"
"""SPDX's word for a licence that nobody has stated; whoever publishes the weights states it."""

_ALIGNED = "mien.training.data.aligned_faces.AlignedFaces"


def catalogue_entry(
    recipe: Recipe,
    network: nn.Module,
    files: Sequence[Path],
    *,
    precision: str = "fp32",
    accuracy_note: str = "",
) -> dict[str, Any]:
    """The entry of a run's exported files.

    Args:
        recipe: of the run.
        network: built from it.
        files: the exported model's, which lie in one folder.
        precision: what it runs in: `fp32`, `bf16` or `int8`.
        accuracy_note: what another precision than the network's own costs; empty for none.

    Returns:
        What stands below a name in `catalogue.toml` or in a model folder's `model.toml`; `entry_toml` writes it. The
        licence is `RESEARCH_ONLY` where the data are for research only, else `UNSTATED`.
    """
    taught = taught_by(recipe)
    task = task_of(recipe, network, taught)
    entry: dict[str, Any] = {
        "task": task,
        "pack": "optional",
        "publisher": "trained with mien",
        "card": "",
        "licence": RESEARCH_ONLY if taught.research_only else UNSTATED,
        "training_data": taught.data,
        "training_terms": taught.terms,
        "summary": recipe.description,
        "precision": precision,
        "input": _input(recipe.input, is_detector=_is_detector(network)),
    }
    if _is_detector(network):
        entry["outputs"] = "yunet"
    else:
        entry["dimension"] = network.dimension
    if task == "face-embedding":
        entry["alignment"] = {"template": _template(recipe), "flip_average": False}
    if accuracy_note:
        entry["accuracy_note"] = accuracy_note
    entry["files"] = [
        {
            "name": file.name,
            "bytes": file.stat().st_size,
            "sha256": sha256(file.read_bytes()).hexdigest(),
            "url": "",
        }
        for file in files
    ]
    return entry


def entry_toml(name: str, entry: Mapping[str, Any]) -> str:
    """An entry as `mien.models.catalogue.read_entry` takes it, and as a section to be pasted into `catalogue.toml`."""
    heading = json.dumps(name)
    tables = {key: value for key, value in entry.items() if isinstance(value, Mapping)}
    plain = {key: value for key, value in entry.items() if key != "files" and key not in tables}
    parts = [f"[{heading}]\n{to_toml(plain)}"]
    parts += [f"[{heading}.{key}]\n{to_toml(table)}" for key, table in tables.items()]
    parts += [f"[[{heading}.files]]\n{to_toml(file)}" for file in entry["files"]]
    return "\n".join(parts)


def model_name(recipe: Recipe) -> str:
    """The recipe's name as models are called: `starter_face_embedder` is `starter-face-embedder`."""
    return recipe.name.replace("_", "-")


def task_of(recipe: Recipe, network: nn.Module, taught: TaughtBy) -> str:
    """`face-detection`, `person-detection`, `face-embedding` or `person-embedding`.

    A detector with landmarks is one of faces. What an embedder tells apart its teacher says, or the sets; where they
    are the user's own, pictures higher than wide are of people and others of faces.
    """
    if _is_detector(network):
        return "face-detection" if network.landmarks else "person-detection"
    for teacher in taught.teachers:
        if teacher.task.endswith("-embedding"):
            return teacher.task
    shows = {terms.shows for terms in taught.sets}
    if len(shows) == 1 and (kind := shows.pop()) is not None:
        return f"{kind}-embedding"
    return "person-embedding" if recipe.input.height > recipe.input.width else "face-embedding"


def _is_detector(network: nn.Module) -> bool:
    return hasattr(network, "output_names")


def _input(takes: InputFormat, *, is_detector: bool) -> dict[str, Any]:
    size: dict[str, Any] = {"multiple": STRIDES[-1]} if is_detector else {"size": [takes.height, takes.width]}
    return {**size, "colour": "RGB", "mean": list(takes.mean), "scale": list(takes.std)}


def _template(recipe: Recipe) -> str:
    """The alignment of the faces that it learned from; nobody knows that of faces which came cut out."""
    source = recipe.data.get("source", {})
    aligned = named(_ALIGNED, "data")
    if source.get("class") != _ALIGNED:
        return "arcface-112"
    template: str = source.get("template", signature(aligned).parameters["template"].default)
    return template
