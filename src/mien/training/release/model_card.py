"""The card of a trained model: YAML for programs and Markdown for people, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from mien.errors import BadInputError
from mien.media.files import shown
from mien.training.loop.run_folder import RunFolder
from mien.training.recipe import Recipe

FIGURES = "figures.json"
"""In a run's folder: what was measured of it outside the training, `[{"what", "figure", "command"}, ...]`."""


def card_facts(
    name: str, recipe: Recipe, folder: RunFolder, entry: Mapping[str, Any], accuracy: Mapping[str, Any]
) -> dict[str, Any]:
    """All that a card says, as JSON could hold it.

    Args:
        name: of the model.
        recipe, folder: of the run.
        entry: from `mien.training.release.catalogue_entry`.
        accuracy: what the export measured.

    Raises:
        BadInputError: `figures_invalid`: the run's `figures.json` is not of its form.
    """
    environment, result = _json(folder.environment), _json(folder.result)
    return {
        "name": name,
        "task": entry["task"],
        "summary": entry["summary"],
        "licence": entry["licence"],
        "recipe": {
            "name": recipe.name,
            "seed": recipe.seed,
            "epochs": recipe.epochs,
            "steps": result.get("steps"),
            "sha256": sha256(folder.recipe.read_bytes()).hexdigest(),
        },
        "data": {"training": entry["training_data"], "terms": entry["training_terms"]},
        "hardware": {key: environment[key] for key in ("cpu", "cores", "gpus", "ranks") if key in environment},
        "software": {"python": environment.get("python"), **environment.get("packages", {})},
        "seconds": result.get("seconds"),
        "input": entry["input"],
        "output": _output(entry),
        "precision": entry["precision"],
        "files": [{key: file[key] for key in ("name", "bytes", "sha256")} for file in entry["files"]],
        "figures": _figures(recipe, folder, result),
        "export": dict(accuracy),
    }


def card_text(facts: Mapping[str, Any], recipe_text: str) -> str:
    """The file: the facts between two lines `---` as YAML, then the same for a reader, then the recipe."""
    recipe, data, hardware = facts["recipe"], facts["data"], facts["hardware"]
    processors = [f"{hardware.get('cores')} cores ({hardware.get('cpu')})", *hardware.get("gpus", [])]
    took = "unknown" if facts["seconds"] is None else f"{facts['seconds']:.0f} s"
    lines = ["---", yaml(facts), "---", "", f"# {facts['name']}", "", facts["summary"], ""]
    lines += [f"**{facts['licence']}.** {_sentence(data['terms'])}", ""]
    lines += [
        _table(
            ["", ""],
            [
                ["task", facts["task"]],
                ["trained on", data["training"]],
                ["recipe", f"{recipe['name']}, seed {recipe['seed']}, {recipe['epochs']} epochs"],
                ["hardware", ", ".join(processors) + f"; {hardware.get('ranks', 1)} process(es)"],
                ["duration", f"{took} (of the last process where the run was resumed)"],
                ["input", _input(facts["input"])],
                ["output", facts["output"]],
                *([file["name"], f"{file['bytes']} bytes, sha256 `{file['sha256']}`"] for file in facts["files"]),
            ],
        ),
        "",
        "## Figures",
        "",
    ]
    rows = [[row["what"], row["figure"], f"`{row['command']}`"] for row in facts["figures"]]
    lines += [_table(["what", "figure", "command"], rows) if rows else "None were measured.", ""]
    lines += ["## Export", "", _table(["what", "figure"], _flat(facts["export"])), ""]
    lines += ["## Recipe", "", "```toml", recipe_text.rstrip(), "```", ""]
    return "\n".join(lines)


def yaml(value: Any, indent: str = "") -> str:
    """Plain values as YAML 1.2 in block style; scalars are written as JSON, which YAML contains.

    Example:
        >>> print(yaml({"seed": 1, "files": [{"name": "a"}], "size": [2, 3]}))
        seed: 1
        files:
          - name: "a"
        size: [2, 3]
    """
    lines = []
    for key, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            lines += [f"{indent}{key}:", yaml(inner, indent + "  ")]
        elif isinstance(inner, list) and inner and all(isinstance(item, Mapping) for item in inner):
            lines.append(f"{indent}{key}:")
            for item in inner:
                block = yaml(item, indent + "    ")
                lines.append(f"{indent}  - {block[len(indent) + 4 :]}")
        else:
            lines.append(f"{indent}{key}: {json.dumps(inner, ensure_ascii=False)}")
    return "\n".join(lines)


def _figures(recipe: Recipe, folder: RunFolder, result: Mapping[str, Any]) -> list[dict[str, Any]]:
    command = f"mien train {recipe.name}"
    rows = [{"what": name, "figure": value, "command": command} for name, value in result.get("evaluation", {}).items()]
    file = folder.path / FIGURES
    if not file.is_file():
        return rows
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
        return rows + [{key: row[key] for key in ("what", "figure", "command")} for row in given]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadInputError(
            f'{shown(file)}: is not of the form [{{"what": ..., "figure": ..., "command": ...}}, ...] ({error!r})',
            code="figures_invalid",
        ) from error


def _output(entry: Mapping[str, Any]) -> str:
    if "dimension" in entry:
        return f"float32 (B, {entry['dimension']}), a feature that is compared by its cosine; not normalized"
    return "cls, obj, bbox (and kps of faces) at strides 8, 16 and 32, as mien.face.detector.decode reads them"


def _input(takes: Mapping[str, Any]) -> str:
    size = takes.get("size")
    what = f"{size[1]} x {size[0]}" if size else f"any size that {takes['multiple']} divides"
    return f"float32 (B, 3, H, W), {what}, {takes['colour']}, (pixel - {takes['mean']}) / {takes['scale']}"


def _json(file: Path) -> dict[str, Any]:
    """A file of the run; an empty table where there is none."""
    if not file.is_file():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _table(heads: list[str], rows: list[list[Any]]) -> str:
    cells = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in cells)


def _flat(table: Mapping[str, Any], before: str = "") -> list[list[Any]]:
    rows: list[list[Any]] = []
    for key, value in table.items():
        rows += _flat(value, f"{before}{key} ") if isinstance(value, Mapping) else [[f"{before}{key}", value]]
    return rows


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."
