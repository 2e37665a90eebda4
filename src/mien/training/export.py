"""A trained network as one ONNX file: weights stored in half precision, arithmetic in the runtime's own.

Half precision halves the file and changes a feature by about 1e-3 of its length; the runtime widens the weights once,
when it loads them, so nothing gets slower on a CPU.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mien.errors import BadInputError
from mien.media.files import replacing, shown
from mien.training import checkpoint
from mien.training.input_format import InputFormat
from mien.training.parts import build
from mien.training.recipe import load_recipe
from mien.training.run_folder import RunFolder

_OPSET = 17
_SMALLEST = 64
"""Arrays with fewer values stay float32: nothing is saved."""


def export_run(run: str | Path, path: str | Path | None = None) -> Path:
    """The network of a finished run as an ONNX file.

    Args:
        run: the run's folder.
        path: the file; None is `model.onnx` in the folder.

    Returns:
        The file.

    Raises:
        BadInputError: `run_unfinished`: the folder holds no weights yet; errors of recipes and checkpoints.
    """
    folder = RunFolder(Path(run))
    if not folder.weights.is_file():
        raise BadInputError(
            f"{shown(folder.path)}: holds no {folder.weights.name}; finish the run with --resume, then export it",
            code="run_unfinished",
        )
    recipe = load_recipe(folder.recipe)
    network: nn.Module = build(recipe.network, "network", input_format=recipe.input, seed=recipe.seed)
    network.load_state_dict(checkpoint.load(folder.weights)[0])
    file = Path(path) if path is not None else folder.path / "model.onnx"
    with replacing(file) as temporary:
        temporary.write_bytes(onnx_bytes(network, recipe.input))
    return file


def onnx_bytes(network: nn.Module, input_format: InputFormat) -> bytes:
    """A network as ONNX, its batch normalization folded into the convolutions; any batch size is taken.

    Args:
        network: an embedder, which makes `embedding` `(B, dimension)`, or a detector, whose outputs have the names of
            its `output_names` and which takes pictures of any size that 32 divides.
        input_format: of `input`, float32 `(B, 3, height, width)`, normalized.
    """
    import onnx

    names: list[str] = list(getattr(network, "output_names", ["embedding"]))
    axes = {"input": {0: "batch"}, **{name: {0: "batch"} for name in names}}
    if hasattr(network, "output_names"):
        axes["input"] |= {2: "height", 3: "width"}

    network = copy.deepcopy(network).cpu().float().eval()
    pictures = torch.zeros(2, 3, input_format.height, input_format.width)
    with torch.no_grad(), tempfile.TemporaryDirectory(prefix="mien-") as folder:
        file = Path(folder) / "network.onnx"
        # The exporter of torch 2.13 that needs no further package; its successor wants onnxscript.
        torch.onnx.export(
            network,
            (pictures,),
            file,
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input"],
            output_names=names,
            dynamic_axes=axes,
        )
        model = onnx.load(file)
    _store_half(model.graph)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def _store_half(graph: Any) -> None:
    """Weights become float16 arrays, each followed by a cast back to float32."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for position, weight in enumerate(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _SMALLEST or np.abs(values).max() > np.finfo(np.float16).max:
            continue
        name = weight.name
        graph.initializer[position].CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=1))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
