"""YOLOX on OpenVINO with less work for the same answer: its first layer as one convolution, and people only.

Ge et al., "YOLOX: Exceeding YOLO Series in 2021", 2021. Its `Focus` layer lays the four pixels of each 2x2 block
behind each other and convolves 3x3: the same sums are one convolution of 6x6 pixels in steps of 2, which reads the
picture once. And of its classes a detector of people needs one.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

_BLOCK = ((0, 0), (1, 0), (0, 1), (1, 1))
"""Row and column in the 2x2 block of each group of channels behind `Focus`."""


def is_yolox(graph: Any) -> bool:
    """Whether an OpenVINO graph begins with `Focus`: four ways to take every other row of the picture."""
    takers = [taker.get_node().get_type_name() for taker in graph.inputs[0].get_target_inputs()]
    return takers == ["Slice"] * 4


def fold_focus(graph: Any) -> None:
    """Replace the slices and the 3x3 convolution of `Focus` by a convolution of 6x6, in place."""
    rows_halved = _next(graph.inputs[0].get_node())
    convolution = _next(_next(_next(rows_halved)))  # behind its columns halved, and all joined
    kernel = convolution.input_value(1).get_node().data
    larger = np.zeros((kernel.shape[0], 3, 6, 6), np.float32)
    for place, (row, column) in enumerate(_BLOCK):
        larger[:, :, row::2, column::2] = kernel[:, 3 * place : 3 * place + 3]
    operations = importlib.import_module("openvino.opset13")
    folded = operations.convolution(graph.inputs[0], larger, [2, 2], [2, 2], [2, 2], [1, 1])
    _replace(convolution.output(0), folded.output(0))
    graph.validate_nodes_and_infer_types()


def keep_first_class(graph: Any) -> None:
    """Let the output have the first class alone, `(1, N, 6)` instead of `(1, N, 85)`, in place."""
    constant = importlib.import_module("openvino.opset13").constant
    grids = graph.results[0].input_value(0).get_node().input_value(0).get_node()
    for grid in grids.input_values():
        reshape = grid.get_node()
        rows = reshape.input_value(0).get_node()
        scores = rows.input_value(2).get_node().input_value(0).get_node()
        convolution, shaped = (value.get_node() for value in scores.input_values())
        for numbers in (convolution.input_value(1), shaped.input_value(0)):
            _replace(numbers, constant(np.ascontiguousarray(numbers.get_node().data[:1])).output(0))
        _replace(reshape.input_value(1), constant(np.array([1, 6, -1])).output(0))
    graph.validate_nodes_and_infer_types()


def _next(node: Any) -> Any:
    """A node that takes what another one gives."""
    return next(iter(node.output(0).get_target_inputs())).get_node()


def _replace(old: Any, new: Any) -> None:
    for taker in old.get_target_inputs():
        taker.replace_source_output(new)
