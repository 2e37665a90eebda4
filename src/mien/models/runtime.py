"""One `Session` over OpenVINO (default on CPUs) and ONNX Runtime (GPUs, and where OpenVINO is missing).

A session takes RGB uint8 pictures `(B, H, W, 3)`; colour order, normalization and layout of the catalogue are applied
inside, by OpenVINO as part of the network's graph. Batch size, and where the network allows it height and width, may
change from call to call: the graph is compiled once with open dimensions.
"""

from __future__ import annotations

import importlib.util
import logging
import queue
import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import MissingError
from mien.models import store
from mien.models.catalogue import Model, PictureInput, Precision
from mien.models.onnx_shapes import open_dimensions
from mien.models.openvino_import import import_openvino
from mien.models.tflite_tail import Tail, cut_tail
from mien.models.yolox_graph import fold_focus, is_yolox, keep_first_class
from mien.records import Float32, Image
from mien.settings import settings

log = logging.getLogger(__name__)
Outputs = dict[str, Float32]
Device = Literal["auto", "cpu", "gpu"]

_IN_FLIGHT = 4
"""Batches of one call that OpenVINO works on at a time."""


class Session:
    """A network ready to run; safe to call from several threads.

    Args:
        model: entry of the catalogue.
        device: `cpu`, `gpu`, or `auto`; None takes the setting `MIEN_DEVICE`.
        precision: None takes the catalogue's.
        engine: `openvino` or `onnxruntime`; None chooses by device and by what is installed.
        threads: None takes the setting `MIEN_THREADS`; 0 means all cores.
        streams: calls that run side by side on OpenVINO, sharing the threads: 1 for the shortest answer to one call,
            more for the most pictures a second.

    Raises:
        MissingError: files, runtime or the asked device are not there. Nothing falls back to a slower device
            unless `MIEN_ALLOW_SLOWER` is set, and then with a warning.
    """

    def __init__(
        self,
        model: Model,
        *,
        device: Device | None = None,
        precision: Precision | None = None,
        engine: Literal["openvino", "onnxruntime"] | None = None,
        threads: int | None = None,
        streams: int = 1,
    ) -> None:
        threads = settings().threads if threads is None else threads
        chosen, self.device = _choose(model, device or settings().device, engine)
        files = store.read(model)
        self.model = model
        self._engine: _Engine
        if chosen == "openvino":
            self._engine = _OpenVino(model, files, precision or model.precision, threads, streams)
        else:
            self._engine = _OnnxRuntime(model, files, self.device, threads)

    def __call__(self, images: Image) -> Outputs:
        """Run one batch.

        Args:
            images: RGB uint8 `(B, H, W, 3)`.

        Returns:
            The network's outputs by name, float32, first axis B.
        """
        if not self.model.batches and len(images) > 1:
            alone = self._engine.run_many([image[None] for image in images])
            return {name: np.concatenate([output[name] for output in alone]) for name in alone[0]}
        return _batch_first(self._engine.run(images), len(images))

    def many(self, batches: Sequence[Image]) -> list[Outputs]:
        """Run batches of any sizes; on OpenVINO they are in flight together."""
        if not self.model.batches and any(len(batch) > 1 for batch in batches):
            return [self(batch) for batch in batches]
        outputs = self._engine.run_many(batches)
        return [_batch_first(output, len(batch)) for output, batch in zip(outputs, batches, strict=True)]


def _batch_first(outputs: Outputs, batch: int) -> Outputs:
    """Networks exported for one picture end in a reshape to (1, ...) that strings the batch along the second axis."""
    return {
        name: value if value.shape[0] == batch else value.reshape(batch, -1, *value.shape[2:])
        for name, value in outputs.items()
    }


class _Engine(Protocol):
    def run(self, images: Image) -> Outputs: ...

    def run_many(self, batches: Sequence[Image]) -> list[Outputs]: ...


class _OpenVino:
    def __init__(self, model: Model, files: dict[str, bytes], precision: Precision, threads: int, streams: int) -> None:
        openvino = import_openvino()
        core = openvino.Core()
        graph = _read_graph(core, files)
        if model.task == "person-detection" and is_yolox(graph):
            fold_focus(graph)
            keep_first_class(graph)
        graph = _with_preprocessing(graph, model)
        self._names = [output.any_name for output in graph.outputs]
        config: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY" if streams == 1 else "THROUGHPUT",
            "NUM_STREAMS": streams,
            # Pinned processes land on the same core as soon as there are two of them.
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        }
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        self._compiled = core.compile_model(graph, "CPU", config)
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run(self, images: Image) -> Outputs:
        return self.run_many([images])[0]

    def run_many(self, batches: Sequence[Image]) -> list[Outputs]:
        results: list[Outputs] = []
        running: deque[tuple[Any, Image]] = deque()
        try:
            for batch in batches:
                if len(running) == _IN_FLIGHT:
                    results.append(self._finish(running))
                request = self._idle()
                # Shared, not copied: the deque keeps the pixels alive until the request is done.
                pixels = np.ascontiguousarray(batch)
                request.start_async({0: pixels}, share_inputs=True)
                running.append((request, pixels))
            while running:
                results.append(self._finish(running))
        finally:
            for request, _ in running:
                request.wait()
        return results

    def _idle(self) -> Any:
        try:
            return self._requests.get_nowait()
        except queue.Empty:
            return self._compiled.create_infer_request()

    def _finish(self, running: deque[tuple[Any, Image]]) -> Outputs:
        request, _ = running[0]
        request.wait()
        running.popleft()
        outputs = self._collect(request)
        self._requests.put(request)
        return outputs

    def _collect(self, request: Any) -> Outputs:
        """Copies, because the request's own memory is written again by its next run."""
        return {name: np.array(request.get_output_tensor(i).data, np.float32) for i, name in enumerate(self._names)}


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


class _OnnxRuntime:
    def __init__(self, model: Model, files: dict[str, bytes], device: str, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        providers = ["CUDAExecutionProvider"] if device == "gpu" else ["CPUExecutionProvider"]
        onnx = open_dimensions(next(iter(files.values())), picture=model.input.size is None)
        self._session = onnxruntime.InferenceSession(onnx, options, providers=providers)
        if device == "gpu" and "CUDAExecutionProvider" not in self._session.get_providers():
            # ONNX Runtime goes on on the CPU without an error when its CUDA libraries do not load.
            message = f"{model.name}: ONNX Runtime could not start on the GPU and would run on the CPU"
            if not settings().allow_slower:
                raise MissingError(
                    f"{message}; check the driver and the CUDA libraries of `mien[gpu]`, or set MIEN_DEVICE=cpu, or "
                    "MIEN_ALLOW_SLOWER=1 to go on with a warning.",
                    code="device_missing",
                )
            log.warning("%s, slower than the GPU that was asked for", message)
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]
        self._takes = model.input

    def run(self, images: Image) -> Outputs:
        outputs = self._session.run(None, {self._input: normalize(images, self._takes)})
        return {name: np.asarray(value, np.float32) for name, value in zip(self._names, outputs, strict=True)}

    def run_many(self, batches: Sequence[Image]) -> list[Outputs]:
        return [self.run(batch) for batch in batches]


def normalize(images: Image, takes: PictureInput) -> NDArray[np.float32]:
    """RGB uint8 `(B, H, W, 3)` as the network's float32 input, in its layout."""
    ordered = images[..., ::-1] if takes.colour == "BGR" else images
    values = (ordered.astype(np.float32) - np.array(takes.mean, np.float32)) / np.array(takes.scale, np.float32)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if takes.layout == "NCHW" else values)


def _choose(model: Model, device: Device, engine: str | None) -> tuple[str, Literal["cpu", "gpu"]]:
    """Which runtime and which device, or the reason why not."""
    is_onnx = model.files[0].name.endswith(".onnx")
    reasons = []
    if device != "cpu":
        if not is_onnx:
            reasons.append(f"{model.name} is not an ONNX file, and only ONNX Runtime drives a GPU here")
        elif not has_gpu():
            reasons.append("ONNX Runtime finds no CUDA device; `pip install mien[gpu]` on a machine with one")
        elif engine != "openvino":
            return "onnxruntime", "gpu"
    if device == "gpu":
        if not settings().allow_slower:
            raise MissingError(
                f"device gpu was asked for, but {'; '.join(reasons)}. Set MIEN_DEVICE=cpu, or "
                "MIEN_ALLOW_SLOWER=1 to go on on the CPU with a warning.",
                code="device_missing",
            )
        log.warning("running %s on the CPU, slower than the GPU that was asked for: %s", model.name, "; ".join(reasons))
    if engine != "onnxruntime" and importlib.util.find_spec("openvino"):
        return "openvino", "cpu"
    if not is_onnx:
        raise MissingError(
            f"{model.name} needs OpenVINO, which is not installed; `pip install openvino` where it has a wheel, "
            "or choose an ONNX model (`mien models list`).",
            code="runtime_missing",
        )
    if not importlib.util.find_spec("onnxruntime"):
        raise MissingError(f"{model.name} needs ONNX Runtime; `pip install onnxruntime`.", code="runtime_missing")
    return "onnxruntime", "cpu"


def has_gpu() -> bool:
    """Whether ONNX Runtime is installed with CUDA. Whether it can start there shows when a session opens."""
    if not importlib.util.find_spec("onnxruntime"):
        return False
    import onnxruntime

    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
