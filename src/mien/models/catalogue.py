"""What each model is: task, files, hashes, licence, training data and its terms, and the pictures it takes.

The entries are those of `catalogue.toml`, and those of model folders: a folder with an entry in `model.toml` beside the
network that it describes, as `mien export` makes them. Such folders come with the starter pack, the distribution
`mien-starter` where it is installed, and from the user's own folder `MIEN_MODELS`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources, util
from pathlib import Path
from typing import Any, Literal

from mien.errors import BadInputError, UsageError, nearest
from mien.settings import settings

Precision = Literal["fp32", "bf16", "int8"]

ENTRY = "model.toml"
"""File of a model folder that holds its entry."""
_STARTER = "mien_starter"
"""Package of the starter pack; its folder `models` holds model folders."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model, as its publisher has it."""

    name: str
    bytes: int
    sha256: str
    url: str


@dataclass(frozen=True, slots=True)
class PictureInput:
    """The pictures that a network takes: value = (pixel - mean) / scale for each channel of `colour`.

    Attributes:
        size: height and width in pixels; None where any multiple of `multiple` goes.
        colour: order of the channels.
        mean, scale: per channel, in the order of `colour`, on the scale 0-255.
        layout: order of the axes inside the network's file.
        multiple: what height and width must be multiples of, where `size` is None.
    """

    size: tuple[int, int] | None = None
    colour: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    multiple: int = 1


@dataclass(frozen=True, slots=True)
class Alignment:
    """How a face is brought before an embedder: the template of its five landmarks, and flip averaging."""

    template: str
    flip_average: bool


@dataclass(frozen=True, slots=True)
class Model:
    """An entry of the catalogue.

    Attributes:
        name: the publisher's name for it.
        task: `face-detection`, `face-embedding`, `head-pose`, `age-gender`, `eye-state`, `face-mesh` ...
        pack: `standard`, `optional` (used only by name; so are all models of `MIEN_MODELS`) or `starter`.
        licence: SPDX identifier of the licence that the publisher gives the weights.
        training_data, training_terms: what the publisher's card says, or that it says nothing.
        precision: what it runs in by default, chosen by measured accuracy (`precision_note`).
        feature_norm: 5th percentile and median of the length of the raw feature on LFW View 1; a short feature is one
            that the network is unsure of (`mien.face.quality`).
        outputs: how a detector's outputs are read: `yunet`, `yolox`, `nanodet` or `ssd`; empty for other tasks.
        shared_folder: of its files in cache and mirror, where one folder holds several networks.
        place: its model folder, with its files, calibrations and card; None where cache and mirror have them.
        batches: whether one run takes several pictures; the graphs of some publishers hold for one only.
    """

    name: str
    task: str
    pack: str
    publisher: str
    card: str
    licence: str
    training_data: str
    training_terms: str
    summary: str
    precision: Precision
    input: PictureInput
    files: tuple[ModelFile, ...]
    paper: str = ""
    precision_note: str = ""
    accuracy_note: str = ""
    dimension: int | None = None
    alignment: Alignment | None = None
    feature_norm: tuple[float, float] | None = None
    outputs: str = ""
    shared_folder: str = ""
    batches: bool = True
    place: Path | None = None

    @property
    def folder(self) -> str:
        """Name of the folder with its files in cache and mirror."""
        return self.shared_folder or self.name

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(file.bytes for file in self.files)


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Model]:
    """Every known model by name: those of the file in its order, then the starter pack's, then the user's own.

    Raises:
        BadInputError: `model_entry`, an entry of a model folder cannot be read; `model_twice`, its name is taken.
    """
    text = resources.files("mien.models").joinpath("catalogue.toml").read_text(encoding="utf-8")
    entries = {name: _model(name, entry) for name, entry in tomllib.loads(text).items()}
    for file, pack in _folder_entries():
        entry = read_entry(file, pack)
        if entry.name in entries:
            other = entries[entry.name].place or "the catalogue"
            raise BadInputError(f"{file}: {entry.name!r} is a model of {other} already; rename it", code="model_twice")
        entries[entry.name] = entry
    return entries


def read_entry(file: Path, pack: str = "optional") -> Model:
    """The entry of a model folder: one table, named as the model, with the keys of the catalogue.

    Raises:
        BadInputError: `model_entry`.
    """
    try:
        ((name, fields),) = tomllib.loads(file.read_text(encoding="utf-8")).items()
        return _model(name, fields | {"pack": pack, "place": file.parent})
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadInputError(
            f"{file} is no entry of a model ({error}); `mien export` writes one", code="model_entry"
        ) from error


def _folder_entries() -> Iterator[tuple[Path, str]]:
    """The entries of all model folders, each with its pack."""
    starter = util.find_spec(_STARTER)
    if starter is not None and starter.origin is not None:
        yield from ((file, "starter") for file in sorted(Path(starter.origin).parent.glob(f"models/*/{ENTRY}")))
    own = settings().models
    if own is not None:
        yield from ((file, "optional") for file in sorted(own.glob(f"*/{ENTRY}")))


def model(name: str) -> Model:
    """The entry called `name`.

    Raises:
        UsageError: there is none; the message names the closest.
    """
    entries = catalogue()
    if name not in entries:
        raise UsageError(f"no model is called {name!r}{nearest(name, entries)}", code="model_unknown")
    return entries[name]


def default(task: str, pack: str = "standard") -> Model:
    """The first model for `task` in `pack`.

    Raises:
        UsageError: the pack has none.
    """
    for entry in catalogue().values():
        if entry.task == task and entry.pack == pack:
            return entry
    raise UsageError(f"the {pack} pack has no model for {task}; `mien models list` shows all.", code="model_unknown")


def _model(name: str, entry: dict[str, Any]) -> Model:
    fields = dict(entry)
    fields["files"] = tuple(ModelFile(**file) for file in fields["files"])
    takes: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields["input"].items()
    }
    fields["input"] = PictureInput(**takes)
    if "alignment" in fields:
        fields["alignment"] = Alignment(**fields["alignment"])
    if "feature_norm" in fields:
        fields["feature_norm"] = tuple(fields["feature_norm"])
    return Model(name=name, **fields)
