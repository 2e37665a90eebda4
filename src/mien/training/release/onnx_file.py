"""A network as ONNX: weights in half precision or not, arithmetic in the runtime's own."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mien.training.data.input_format import InputFormat

_OPSET = 17
_SMALLEST = 64
"""Arrays with fewer values stay float32: nothing is saved."""


def onnx_bytes(network: nn.Module, input_format: InputFormat) -> bytes:
    """A network as ONNX with its weights stored in half precision; arguments as of `float_onnx`."""
    import onnx

    model = float_onnx(network, input_format)
    store_half(model.graph)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def float_onnx(network: nn.Module, input_format: InputFormat) -> Any:
    """A network as an ONNX `ModelProto`, its batch normalization folded into the convolutions; any batch size is taken.

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
    return model


def store_half(graph: Any, *, least_dimensions: int = 1) -> None:
    """Weights with so many axes or more become float16 arrays, each followed by a cast back to float32."""
    import onnx
    from onnx import numpy_helper

    casts = []
    for position, weight in enumerate(graph.initializer):
        values = numpy_helper.to_array(weight)
        if (
            values.dtype != np.float32
            or values.size < _SMALLEST
            or values.ndim < least_dimensions
            or np.abs(values).max() > np.finfo(np.float16).max
        ):
            continue
        name = weight.name
        graph.initializer[position].CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], name=f"{name}.cast", to=1))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
