"""The peers of `mien benchmark`: what mien does, as a user of OpenCV or ONNX Runtime writes it."""

from __future__ import annotations

import importlib.util
from typing import Any

import cv2
import numpy as np

from mien.face.align import alignment, warp
from mien.face.detector import decode
from mien.geometry import suppress
from mien.models import store
from mien.models.catalogue import Model, default, model
from mien.models.onnx_shapes import open_dimensions
from mien.records import Float32, Image

WITHOUT_ONNX_RUNTIME = "ONNX Runtime is left out: it is not installed (`pip install onnxruntime`)"
_OVERLAP = 0.45


def has_onnx_runtime() -> bool:
    """Whether there is anything to compare with."""
    return importlib.util.find_spec("onnxruntime") is not None


class OpenCvDetector:
    """OpenCV's FaceDetectorYN on one picture `(H, W, 3)` at its own size."""

    def __init__(self, score: float = 0.6) -> None:
        onnx = store.read(default("face-detection"))
        content = np.frombuffer(next(iter(onnx.values())), np.uint8)
        self._network = cv2.FaceDetectorYN.create(
            "onnx", content, np.empty(0, np.uint8), (640, 640), score, _OVERLAP, 5000
        )

    def __call__(self, image: Image) -> int:
        """How many faces there are."""
        self._network.setInputSize((image.shape[1], image.shape[0]))
        _, faces = self._network.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return 0 if faces is None else len(faces)


class OnnxDetector:
    """YuNet on ONNX Runtime, at one size: `long_side` pixels at most."""

    def __init__(self, long_side: int = 640, score: float = 0.6) -> None:
        self._long_side, self._score = long_side, score
        self._session = _session(default("face-detection"), picture=True)
        self._names = [output.name for output in self._session.get_outputs()]

    def __call__(self, image: Image) -> Float32:
        """Rows `(N, 15)`: box xyxy, five landmarks, score; in the picture's pixels."""
        scale = min(1.0, self._long_side / max(image.shape[:2]))
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale).astype(np.uint8, copy=False)
        height, width = image.shape[:2]
        padded = cv2.copyMakeBorder(image, 0, -height % 32, 0, -width % 32, cv2.BORDER_CONSTANT)
        outputs = self._session.run(None, {"input": cv2.dnn.blobFromImage(padded, swapRB=True)})
        rows = decode(dict(zip(self._names, outputs, strict=True)), 0, padded.shape[1], self._score)
        rows = rows[suppress(rows[:, :4], rows[:, 14], _OVERLAP)]
        rows[:, :14] /= scale
        return rows


class OnnxEmbedder:
    """MobileFaceNet on ONNX Runtime; mien's default embedder is in a format that only OpenVINO reads."""

    def __init__(self) -> None:
        self._takes = model("mobilefacenet-foamliu").input
        self._session = _session(model("mobilefacenet-foamliu"), picture=False)
        self._input = self._session.get_inputs()[0].name

    def crop(self, image: Image, landmarks: Float32) -> Image:
        """The aligned face `(112, 112, 3)`."""
        return warp(image, alignment(landmarks, "arcface-112", 112), 112)

    def __call__(self, crops: list[Image]) -> Float32:
        """Features `(N, 128)` of N >= 1 crops, without flip averaging."""
        pixels = np.stack(crops).astype(np.float32)
        pixels -= np.array(self._takes.mean, np.float32)
        pixels /= np.array(self._takes.scale, np.float32)
        (features,) = self._session.run(None, {self._input: np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))})
        return features / np.linalg.norm(features, axis=1, keepdims=True)


def _session(entry: Model, *, picture: bool) -> Any:
    import onnxruntime

    content = open_dimensions(next(iter(store.read(entry).values())), picture=picture)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
