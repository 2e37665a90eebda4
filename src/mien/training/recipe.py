"""A recipe: one short TOML file that says all that a training is; checked as a whole before anything starts.

```toml
name = "reid_small"
seed = 1
epochs = 60

[input]                     # what the network sees
height = 128
width = 64

[data]
class = "mien.training.data.pictures.Pictures"
source = { class = "mien.training.readers.market1501.market1501", folder = "market1501" }
augmentation = [{ class = "mien.training.data.augmentation.Flip" }]

[sampler]
class = "mien.training.data.samplers.IdentitySampler"
identities = 16
pictures = 4

[network]
class = "mien.training.networks.osnet.OSNet"

[task]
class = "mien.training.tasks.identification.Identification"

[optimizer]
class = "mien.training.loop.optimizers.adamw"
learning_rate = 3e-3

[schedule]
class = "mien.training.loop.schedule.Cosine"
warm_up = 5

[loop]
ema = 0.999
```
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mien.errors import BadInputError, UsageError
from mien.media.files import read_toml, shown
from mien.training.data.input_format import InputFormat
from mien.training.parts import check, unknown_key

PACKAGED = Path(__file__).parent / "recipes"
"""The recipes that come with mien."""

OFFERED = ("data", "network", "seed", "epochs", "input_format", "module")
"""What a part gets where its signature names it; see `mien.training.loop.trainer`."""


class Loop(BaseModel):
    """How the training loop runs; none of it says what is learned.

    Attributes:
        device: `auto` takes a GPU where there is one.
        threads: of the CPU for one network; 0 takes what PyTorch takes, all cores. Small networks gain little by more
            than one, and lose much where the cores have other work too.
        precision: `bfloat16` and `float16` are mixed precision: weights stay float32.
        accumulate: pieces that a batch is cut into, one after the other, to need less memory; the gradient is that of
            the whole batch (but for batch normalization, which sees the pieces).
        clip_norm: longest gradient, as a Euclidean norm over all parameters; 0 is no limit.
        ema: decay a step of the running average of the weights, which is what is evaluated and kept; 0 is no average.
        channels_last: pictures and weights in memory with the channels innermost.
        workers: processes that read and change pictures; 0 does it between steps.
        checkpoint_steps: steps between checkpoints.
        evaluate_epochs: epochs between evaluations; 0 evaluates at the end only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(default=0, ge=0, le=1024)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    accumulate: int = Field(default=1, ge=1)
    clip_norm: float = Field(default=0.0, ge=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    channels_last: bool = True
    workers: int = Field(default=0, ge=0, le=256)
    checkpoint_steps: int = Field(default=500, ge=1)
    evaluate_epochs: int = Field(default=0, ge=0)


class Recipe(BaseModel):
    """A whole training; the tables with a `class` are made by `mien.training.parts.build`.

    Attributes:
        name: names the run.
        seed: of weights, order and augmentation.
        epochs: turns through the data, as the sampler counts them.
        start_from: safetensors file whose tensors the network starts from, where name and shape agree.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    seed: int = Field(default=0, ge=0)
    epochs: int = Field(ge=1)
    start_from: str | None = None
    input: InputFormat
    data: dict[str, Any]
    sampler: dict[str, Any]
    network: dict[str, Any]
    task: dict[str, Any]
    optimizer: dict[str, Any]
    schedule: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    loop: Loop = Loop()

    def parts(self) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """The tables that name a class, with their names."""
        for name in ("data", "sampler", "network", "task", "optimizer", "schedule", "evaluation"):
            table = getattr(self, name)
            if table is not None:
                yield name, table


def load_recipe(path: str | Path, changes: Iterable[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        path: a TOML file; where there is none of this name, the packaged recipe of that file name.
        changes: `key=value` each, the key with dots (`optimizer.learning_rate=0.01`), the value as TOML has it; what
            is no TOML value is text.

    Raises:
        BadInputError: `file_missing`, `file_unreadable`, `recipe_not_toml`, `recipe_key_unknown`,
            `recipe_key_missing`, `recipe_value`, `recipe_class`.
        UsageError: `recipe_change` for a change that is not of the form `key=value`.
    """
    file = find_recipe(path)
    table = read_toml(file, what="recipe", code="recipe_not_toml")
    for change in changes:
        _apply(table, change)
    return checked(table)


def find_recipe(path: str | Path) -> Path:
    """The recipe's file: the given one, or the packaged one of the same name.

    Raises:
        BadInputError: `file_missing`, with the names of the packaged recipes.
    """
    file = Path(path)
    for candidate in (file, PACKAGED / file.name, PACKAGED / f"{file.name}.toml"):
        if candidate.is_file():
            return candidate
    names = ", ".join(sorted(recipe.stem for recipe in PACKAGED.glob("*.toml")))
    raise BadInputError(f"{shown(file)}: no such recipe; mien has {names}", code="file_missing")


def checked(table: Mapping[str, Any]) -> Recipe:
    """A recipe from its table, every part checked against its class.

    Raises:
        BadInputError: as `load_recipe`.
    """
    try:
        recipe = Recipe.model_validate(dict(table))
    except ValidationError as error:
        raise _explained(error) from error
    for name, part in recipe.parts():
        check(part, name, OFFERED)
    return recipe


def to_toml(table: Mapping[str, Any]) -> str:
    """A table of plain values as TOML: scalars first, then one section a table, tables inside those inline.

    Example:
        >>> print(to_toml({"seed": 1, "loop": {"ema": 0.5}}), end="")
        seed = 1
        <BLANKLINE>
        [loop]
        ema = 0.5
    """
    present = {name: value for name, value in table.items() if value is not None}
    lines = [_line(name, value) for name, value in present.items() if not isinstance(value, Mapping)]
    for name, value in present.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *(_line(key, inner) for key, inner in value.items())]
    return "\n".join(lines) + "\n"


def _line(key: str, value: Any) -> str:
    is_bare = re.fullmatch(r"[A-Za-z0-9_-]+", key)
    return f"{key if is_bare else json.dumps(key)} = {_literal(value)}"


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_line(key, inner) for key, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # its escapes are those of TOML
    return repr(value)


def _apply(table: dict[str, Any], change: str) -> None:
    key, equals, text = change.partition("=")
    names = key.strip().split(".")
    if not equals or not all(names):
        raise UsageError(
            f"--set {change!r} is not of the form key=value, e.g. optimizer.learning_rate=0.01", code="recipe_change"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        value = text
    inner: Any = table
    for name in names[:-1]:
        inner = inner.setdefault(name, {}) if isinstance(inner, dict) else None
    if not isinstance(inner, dict):
        raise UsageError(f"--set {change!r}: {'.'.join(names[:-1])} is no table", code="recipe_change")
    inner[names[-1]] = value


def _explained(error: ValidationError) -> BadInputError:
    first = error.errors()[0]
    *tables, name = [str(piece) for piece in first["loc"]]
    where = ".".join(["recipe", *tables])
    if first["type"] == "extra_forbidden":
        model: Any = {"loop": Loop, "input": InputFormat}.get(tables[0] if tables else "", Recipe)
        return unknown_key(name, model.model_fields, where)
    if first["type"] == "missing":
        return BadInputError(f"{where}: lacks {name}; add it", code="recipe_key_missing")
    place = ".".join([*tables, name])
    return BadInputError(f"recipe: {place} = {first['input']!r}: {first['msg']}", code="recipe_value")
