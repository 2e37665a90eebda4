"""One `Session` over OpenVINO (default on CPUs) and ONNX Runtime (GPUs, and where OpenVINO is missing).

A session takes RGB uint8 pictures `(B, H, W, 3)`; colour order, normalization and layout of the catalogue are applied
inside, by OpenVINO as part of the network's graph. Batch size, and where the network allows it height and width, may
change from call to call.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mien.errors import MissingError
from mien.models import store
from mien.models.catalogue import Model, PictureInput, Precision
from mien.models.onnx_shapes import open_dimensions
from mien.models.openvino_engine import OpenVino
from mien.records import Float32, Image
from mien.settings import settings

log = logging.getLogger(__name__)
Outputs = dict[str, Float32]
Device = Literal["auto", "cpu", "gpu"]


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
        steady: pictures of few sizes are to come, as in a stream: OpenVINO compiles a graph for each of the first of
            them, which takes 0.1 to 0.3 s at its first picture and then 4 to 8% less time for every one.

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
        steady: bool = False,
    ) -> None:
        threads = settings().threads if threads is None else threads
        chosen, self.device = _choose(model, device or settings().device, engine)
        files = store.read(model)
        self.model = model
        self._engine: _Engine
        if chosen == "openvino":
            self._engine = OpenVino(model, files, precision or model.precision, threads, streams, steady=steady)
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
