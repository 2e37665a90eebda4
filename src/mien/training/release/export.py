"""A finished run as a model that runs anywhere: a file (ONNX or OpenVINO's), its card, and its entry for the catalogue.

Weights are stored in half precision, which halves the file and changes a feature by about 1e-3 of its length; the
runtime widens them once, when it loads them, so nothing gets slower on a CPU. Or they are int8, which halves it again,
and what that costs is measured before it is believed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from mien.errors import BadInputError, UsageError
from mien.media.files import replacing, shown, unwritable
from mien.models.openvino_import import import_openvino
from mien.training.loop import checkpoint
from mien.training.loop.run_folder import RunFolder
from mien.training.parts import build
from mien.training.recipe import Recipe, load_recipe
from mien.training.release.calibration_pictures import calibration_pictures
from mien.training.release.catalogue_entry import catalogue_entry, entry_toml, model_name
from mien.training.release.exported_network import ExportedNetwork, parity
from mien.training.release.model_card import card_facts, card_text
from mien.training.release.onnx_file import float_onnx, onnx_bytes
from mien.training.release.quantization import quantized

Format = Literal["onnx", "openvino"]

_SUFFIX: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}
_CHECKED = 16
"""Pictures on which the exported file is compared with the network."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote.

    Attributes:
        name: the model's, in its card and entry.
        files: the model: one ONNX file, or OpenVINO's `.xml` and `.bin`.
        card: `.md` beside the first of them.
        entry: `.toml` beside it, a section of `catalogue.toml`.
        accuracy: what was measured; see `export_run`.
    """

    name: str
    files: tuple[Path, ...]
    card: Path
    entry: Path
    accuracy: dict[str, Any]


def export_run(
    run: str | Path,
    path: str | Path | None = None,
    *,
    format: Format = "onnx",
    int8: bool = False,
    name: str | None = None,
) -> Exported:
    """The network of a finished run as files.

    Args:
        run: the run's folder. A `figures.json` in it goes into the card (`mien.training.release.model_card`).
        path: the model's file; None is `model.onnx`, `model.xml`, or with int8 `model.int8.onnx` ... in the folder.
        format: of the file.
        int8: quantize. Ranges are found on pictures of the recipe's training set, which must be there, and so must the
            set of its `[evaluation]`, if it has one.
        name: of the model; None is the recipe's, its underscores as hyphens.

    Returns:
        The files, and as `accuracy`: `parity`, cosines between the file's answers and the network's on pictures of
        noise; with int8 instead `calibration_pictures`, `int8` (cosines on those pictures) and, where the recipe has
        an evaluation, its figures as `evaluation` `{"float": {...}, "int8": {...}}`.

    Raises:
        BadInputError: `run_unfinished`: the folder holds no weights yet; errors of recipes, checkpoints and readers.
        UsageError: `file_unwritable`; `export_suffix`: the path's suffix is not the format's.
    """
    folder = RunFolder(Path(run))
    if not folder.weights.is_file():
        raise BadInputError(
            f"{shown(folder.path)}: holds no {folder.weights.name}; finish the run with --resume, then export it",
            code="run_unfinished",
        )
    file = _target(folder, path, format, int8)
    recipe = load_recipe(folder.recipe)
    network = load_network(folder, recipe)
    accuracy: dict[str, Any]
    if int8:
        pictures = calibration_pictures(recipe, is_detector=_output_names(network) is not None)
        model = quantized(
            float_onnx(network, recipe.input).SerializeToString(), [picture.numpy() for picture in pictures]
        )
        files = write_model(model, file, format)
        accuracy = _compared(recipe, network, files[0], pictures)
    else:
        files = write_model(onnx_bytes(network, recipe.input), file, format)
        accuracy = {"parity": parity(network, _exported(files[0], network), _noise(recipe, network))}
    chosen = name or model_name(recipe)
    entry = catalogue_entry(
        recipe, network, files, precision="int8" if int8 else "fp32", accuracy_note=_accuracy_note(accuracy)
    )
    written = Exported(chosen, files, file.with_suffix(".md"), file.with_suffix(".toml"), accuracy)
    facts = card_facts(chosen, recipe, folder, entry, accuracy)
    folder.write(written.card, card_text(facts, folder.recipe.read_text(encoding="utf-8")))
    folder.write(written.entry, entry_toml(chosen, entry))
    return written


def load_network(folder: RunFolder, recipe: Recipe) -> nn.Module:
    """The network of a finished run with its weights, in evaluation mode."""
    network: nn.Module = build(recipe.network, "network", input_format=recipe.input, seed=recipe.seed)
    network.load_state_dict(checkpoint.load(folder.weights)[0])
    return network.eval()


def write_model(model: bytes, file: Path, format: Format) -> tuple[Path, ...]:
    """An ONNX model as a file, or as OpenVINO's two: `file` and the weights in `.bin` beside it."""
    if format == "onnx":
        with replacing(file) as temporary:
            temporary.write_bytes(model)
        return (file,)
    openvino = import_openvino()
    weights = file.with_suffix(".bin")
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        made = Path(folder) / "model.xml"
        openvino.save_model(openvino.Core().read_model(model), made, compress_to_fp16=True)
        for source, target in ((made.with_suffix(".bin"), weights), (made, file)):
            with replacing(target) as temporary:
                temporary.write_bytes(source.read_bytes())
    return (file, weights)


def _target(folder: RunFolder, path: str | Path | None, format: Format, int8: bool) -> Path:
    suffix = _SUFFIX[format]
    if path is None:
        return folder.path / f"model{'.int8' if int8 else ''}{suffix}"
    if Path(path).suffix != suffix:
        raise UsageError(
            f"{shown(Path(path))}: a file of the format {format} ends in {suffix}; change the name or --format",
            code="export_suffix",
        )
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return Path(path)


def _output_names(network: nn.Module) -> tuple[str, ...] | None:
    return getattr(network, "output_names", None)


def _exported(file: Path, network: nn.Module) -> ExportedNetwork:
    return ExportedNetwork(file, _output_names(network)).eval()


def _noise(recipe: Recipe, network: nn.Module) -> list[Tensor]:
    random = torch.Generator().manual_seed(recipe.seed)
    size = (_CHECKED, recipe.input.height, recipe.input.width, 3)
    return [recipe.input.tensor(torch.randint(0, 256, size, dtype=torch.uint8, generator=random))]


def _compared(recipe: Recipe, network: nn.Module, file: Path, pictures: list[Tensor]) -> dict[str, Any]:
    made = _exported(file, network)
    accuracy: dict[str, Any] = {"calibration_pictures": len(pictures), "int8": parity(network, made, pictures)}
    if recipe.evaluation is not None:
        evaluation = build(recipe.evaluation, "evaluation", input_format=recipe.input, seed=recipe.seed, data=None)
        with torch.inference_mode():
            accuracy["evaluation"] = {"float": evaluation(network), "int8": evaluation(made)}
    return accuracy


def _accuracy_note(accuracy: dict[str, Any]) -> str:
    if "int8" not in accuracy:
        return ""
    cosine = accuracy["int8"]["cosine_mean"]
    words = f"int8 on {accuracy['calibration_pictures']} training pictures: mean cosine to float {cosine}"
    if "evaluation" in accuracy:
        before, after = accuracy["evaluation"]["float"], accuracy["evaluation"]["int8"]
        changed = [f"{name} {before[name]} -> {after[name]}" for name in before if before[name] != after[name]]
        words += "; " + (", ".join(changed) or "the evaluation's figures are the same")
    return words
