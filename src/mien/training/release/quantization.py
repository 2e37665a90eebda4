"""Int8 by post-training quantization: weights a channel at a time, activations by the ranges that pictures show.

Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018;
the work is done by ONNX Runtime. Weights take seven of the eight bits: on processors without VNNI two products of full
range overflow the 16 bits that they are summed in, and the result would depend on the machine (an embedder of faces
kept a mean cosine of .49 to its float form there; with seven bits .96).

The first convolution, depthwise ones and the last product stay in half precision: they hold little, and all of the
picture passes through few numbers there. With ranges cut at 99.999% the same embedder's cosine rises to .990 by this.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mien.errors import MissingError
from mien.training.release.onnx_file import store_half


def quantized(model: bytes, pictures: Sequence[NDArray[Any]]) -> bytes:
    """A float32 ONNX model as one with int8 convolutions and products.

    Args:
        model: with one input, `input`.
        pictures: what the input takes, to find the ranges of activations by.

    Returns:
        ONNX with QuantizeLinear and DequantizeLinear nodes, which OpenVINO and ONNX Runtime both fuse.

    Raises:
        MissingError: `dependency_missing`: ONNX Runtime is not installed.
    """
    if importlib.util.find_spec("onnxruntime") is None:
        raise MissingError("int8 needs ONNX Runtime; install with: pip install onnxruntime", code="dependency_missing")
    import onnx
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader:
        """What ONNX Runtime takes pictures from."""

        def __init__(self) -> None:
            self._next: Iterator[NDArray[Any]] = iter(pictures)

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            picture = next(self._next, None)
            return None if picture is None else {"input": picture}

    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        given, prepared, made = (Path(folder) / name for name in ("given.onnx", "prepared.onnx", "made.onnx"))
        given.write_bytes(model)
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.ERROR)  # it writes advice to the root logger
        try:
            quant_pre_process(given, prepared, skip_symbolic_shape=True)
            kept = _kept_in_float(onnx.load(prepared).graph)
            with redirect_stdout(io.StringIO()):  # and its progress to the standard output
                quantize_static(
                    prepared,
                    made,
                    Reader(),
                    quant_format=QuantFormat.QDQ,
                    per_channel=True,
                    reduce_range=True,
                    activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8,
                    nodes_to_exclude=kept,
                    calibrate_method=CalibrationMethod.Percentile,
                    extra_options={"CalibPercentile": 99.999},
                )
        finally:
            root.setLevel(level)
        result = onnx.load(made)
    _lighten(result.graph)
    store_half(result.graph, least_dimensions=2)  # scales stay as they are
    content: bytes = result.SerializeToString()
    return content


def _kept_in_float(graph: Any) -> list[str]:
    """Names of the nodes that are not quantized."""
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    products = [node.name for node in graph.node if node.op_type in ("Gemm", "MatMul")]
    depthwise = [
        node.name for node in convolutions if any(given.name == "group" and given.i > 1 for given in node.attribute)
    ]
    return [*(node.name for node in convolutions[:1]), *depthwise, *products[-1:]]


def _lighten(graph: Any) -> None:
    """Short names and no shapes of what lies inside: beside a small network's weights they are as long as these."""
    del graph.value_info[:]
    kept = {value.name for value in [*graph.input, *graph.output]}
    short: dict[str, str] = {}

    def renamed(name: str) -> str:
        return name if not name or name in kept else short.setdefault(name, f"t{len(short)}")

    for weight in graph.initializer:
        weight.name = renamed(weight.name)
    for node in graph.node:
        node.name = ""
        node.input[:] = [renamed(name) for name in node.input]
        node.output[:] = [renamed(name) for name in node.output]
