"""OpenVINO as the engine of a session: graphs from verified bytes, compiled, and their infer requests.

A graph with open dimensions takes batches and pictures of any size. One of fixed dimensions gives the same numbers in 4
to 8% less time (measured on YuNet, YOLOX-Nano and both embedders), so sizes that keep coming get one of their own.
"""

from __future__ import annotations

import importlib
import queue
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from mien.models.catalogue import Model, Precision
from mien.models.openvino_import import import_openvino
from mien.models.tflite_tail import Tail, cut_tail
from mien.models.yolox_graph import fold_focus, is_yolox, keep_first_class
from mien.records import Float32, Image

_IN_FLIGHT = 4
"""Batches of one call that OpenVINO works on at a time."""
_MOST_FIXED = 4
"""Sizes that get a graph of their own; all others share the one with open dimensions."""


class OpenVino:
    """A network on the CPU; safe to call from several threads.

    Args:
        model: entry of the catalogue.
        files: its files' bytes by name.
        precision: `bf16` where the processor has it, `fp32` otherwise.
        threads: 0 means all cores.
        streams: calls that run side by side.
        steady: compile a graph for each of the first sizes that come.
    """

    def __init__(
        self, model: Model, files: dict[str, bytes], precision: Precision, threads: int, streams: int, *, steady: bool
    ) -> None:
        self._core = import_openvino().Core()
        graph = _read_graph(self._core, files)
        if model.task == "person-detection" and is_yolox(graph):
            fold_focus(graph)
            keep_first_class(graph)
        self._graph = _with_preprocessing(graph, model)
        self._names = [output.any_name for output in self._graph.outputs]
        self._config: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": streams,
            # Pinned processes land on the same core as soon as there are two of them.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        }
        if threads:
            self._config["INFERENCE_NUM_THREADS"] = threads
        self._steady, self._lock = steady, Lock()
        self._fixed: dict[tuple[int, ...], _Compiled] = {}
        self._open = None if steady else self._compile(self._graph)

    def run(self, images: Image) -> dict[str, Float32]:
        """One batch, RGB uint8 `(B, H, W, 3)`: the outputs by name."""
        return self.run_many([images])[0]

    def run_many(self, batches: Sequence[Image]) -> list[dict[str, Float32]]:
        """Batches of any sizes, in flight together."""
        results: list[dict[str, Float32]] = []
        running: deque[tuple[_Compiled, Any, Image]] = deque()
        try:
            for batch in batches:
                if len(running) == _IN_FLIGHT:
                    results.append(self._finish(running))
                compiled = self._for(batch.shape)
                request = compiled.request()
                # Shared, not copied: the deque keeps the pixels alive until the request is done.
                pixels = np.ascontiguousarray(batch)
                request.start_async({0: pixels}, share_inputs=True)
                running.append((compiled, request, pixels))
            while running:
                results.append(self._finish(running))
        finally:
            for _, request, _ in running:
                request.wait()
        return results

    def _for(self, shape: tuple[int, ...]) -> _Compiled:
        """The graph for batches of this shape."""
        if self._open is not None and not self._steady:
            return self._open
        with self._lock:
            if shape not in self._fixed and len(self._fixed) < _MOST_FIXED:
                graph = self._graph.clone()
                graph.reshape(list(shape))
                self._fixed[shape] = self._compile(graph)
            if shape in self._fixed:
                return self._fixed[shape]
            if self._open is None:
                self._open = self._compile(self._graph)
            return self._open

    def _compile(self, graph: Any) -> _Compiled:
        return _Compiled(self._core.compile_model(graph, "CPU", self._config))

    def _finish(self, running: deque[tuple[_Compiled, Any, Image]]) -> dict[str, Float32]:
        compiled, request, _ = running[0]
        request.wait()
        running.popleft()
        # Copies, because the request's own memory is written again by its next run.
        tensors = (request.get_output_tensor(place).data for place in range(len(self._names)))
        outputs = {name: np.array(data, np.float32) for name, data in zip(self._names, tensors, strict=True)}
        compiled.idle.put(request)
        return outputs


class _Compiled:
    """A compiled graph and those of its requests that nobody uses."""

    def __init__(self, network: Any) -> None:
        self._network = network
        self.idle: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def request(self) -> Any:
        try:
            return self.idle.get_nowait()
        except queue.Empty:
            return self._network.create_infer_request()


def _read_graph(core: Any, files: dict[str, bytes]) -> Any:
    """The graph from verified bytes; OpenVINO reads TFLite from a path only, so that goes through a private copy."""
    by_suffix = {Path(name).suffix: content for name, content in files.items()}
    if ".xml" in by_suffix:
        return core.read_model(by_suffix[".xml"], by_suffix[".bin"])
    if ".onnx" in by_suffix:
        return core.read_model(by_suffix[".onnx"])
    content, tail = cut_tail(by_suffix[".tflite"])
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        graph = core.read_model(path)
    return graph if tail is None else _with_tail(graph, tail)


def _with_tail(graph: Any, tail: Tail) -> Any:
    """The graph `(B, H, W, I)` with the layers that were cut off its file: its output is `(B, 2H, 2W, O)`."""
    openvino = import_openvino()
    operations = importlib.import_module("openvino.opset13")
    planes = operations.transpose(graph.outputs[0].get_node().input_value(0), np.array([0, 3, 1, 2]))
    kernel = np.ascontiguousarray(tail.kernel.transpose(3, 0, 1, 2))
    larger = operations.convolution_backprop_data(planes, kernel, strides=[2, 2], auto_pad="same_upper")
    pixels = operations.transpose(larger, np.array([0, 2, 3, 1]))
    result = operations.sigmoid(operations.add(pixels, tail.bias))
    result.output(0).set_names({"mask"})
    return openvino.Model([result], graph.get_parameters(), "graph")


def _with_preprocessing(graph: Any, model: Model) -> Any:
    """Open the batch (and picture) dimensions and let the graph take RGB uint8 `(B, H, W, 3)`."""
    openvino = import_openvino()
    preprocess = openvino.preprocess

    takes = model.input
    batch = -1 if model.batches else 1
    height, width = takes.size or (-1, -1)
    shape = [batch, 3, height, width] if takes.layout == "NCHW" else [batch, height, width, 3]
    graph.reshape({graph.inputs[0]: openvino.PartialShape(shape)})
    processor = preprocess.PrePostProcessor(graph)
    source = processor.input(0)
    source.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    source.tensor().set_color_format(preprocess.ColorFormat.RGB)
    steps = source.preprocess().convert_element_type(openvino.Type.f32)
    if takes.colour == "BGR":
        steps.convert_color(preprocess.ColorFormat.BGR)
    if any(takes.mean):
        steps.mean(list(takes.mean))
    if takes.scale != (1.0, 1.0, 1.0):
        steps.scale(list(takes.scale))
    source.model().set_layout(openvino.Layout(takes.layout))
    return processor.build()
