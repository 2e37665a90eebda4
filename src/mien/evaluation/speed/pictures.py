"""Decoding a clip, and detection and embedding on one of its frames, beside their peers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from mien.errors import BadInputError
from mien.evaluation.speed.comparison import Comparison, interleave
from mien.evaluation.speed.peers import (
    WITHOUT_ONNX_RUNTIME,
    OnnxDetector,
    OnnxEmbedder,
    OpenCvDetector,
    has_onnx_runtime,
)
from mien.face.detector import FaceDetector
from mien.face.embedder import FaceEmbedder
from mien.media.video import open_video
from mien.models.catalogue import Alignment
from mien.records import Face, Image

_WIDTH, _HEIGHT = 640, 480


def decode(clip: Path, rounds: int = 5) -> Comparison:
    """The whole clip as RGB arrays (OpenCV: BGR), opening included."""
    with open_video(clip) as video:
        count = sum(1 for _ in video)
    contenders: dict[str, Callable[[], object]] = {"mien": partial(_mien, clip), "PyAV": partial(_pyav, clip)}
    notes = []
    if _opencv(clip):
        contenders["OpenCV VideoCapture"] = partial(_opencv, clip)
    else:
        notes.append("OpenCV is left out: its VideoCapture does not open this file")
    whole = interleave(contenders, rounds)
    each = {name: value / count for name, value in whole.items()}
    return Comparison("decode", f"one of {count} frames", rounds, each, tuple(notes), {"frames": count})


def detect(clip: Path, rounds: int = 41) -> Comparison:
    """Detection on one 640x480 picture of the clip; mien looks at it in two sizes, its peers in one."""
    image, _ = picture(clip)
    contenders: dict[str, Callable[[], object]] = {
        "mien": partial(FaceDetector(), image),
        "OpenCV FaceDetectorYN": partial(OpenCvDetector(), image),
    }
    notes: tuple[str, ...] = ()
    if has_onnx_runtime():
        contenders["ONNX Runtime YuNet"] = partial(OnnxDetector(), image)
    else:
        notes = (WITHOUT_ONNX_RUNTIME,)
    return Comparison("detect", "one 640x480 picture", rounds, interleave(contenders, rounds, warm=True), notes)


def embed(clip: Path, rounds: int = 41) -> Comparison:
    """One face from a 640x480 picture: alignment, network, normalization."""
    image, face = picture(clip)
    alignment = Alignment("arcface-112", flip_average=False)
    contenders: dict[str, Callable[[], object]] = {
        "mien": partial(FaceEmbedder(), image, [face]),
        "mien, MobileFaceNet": partial(FaceEmbedder("mobilefacenet-foamliu", alignment=alignment), image, [face]),
    }
    notes: tuple[str, ...] = ()
    if has_onnx_runtime():
        peer = OnnxEmbedder()
        contenders["ONNX Runtime MobileFaceNet"] = lambda: peer([peer.crop(image, face.landmarks)])
    else:
        notes = (WITHOUT_ONNX_RUNTIME,)
    return Comparison("embed", "one face, one pass", rounds, interleave(contenders, rounds, warm=True), notes)


def picture(clip: Path) -> tuple[Image, Face]:
    """The clip's first frame with a face, fitted into 640x480, and its surest face.

    Raises:
        BadInputError: `face_missing`.
    """
    detector = FaceDetector()
    with open_video(clip) as video:
        for frame in video:
            image = _fitted(frame.image)
            if faces := detector(image):
                return image, faces[0]
    raise BadInputError(f"{clip}: no face was found in it; give a clip with a face", code="face_missing")


def _fitted(image: Image) -> Image:
    """Scaled to fit, black where nothing is."""
    scale = min(_WIDTH / image.shape[1], _HEIGHT / image.shape[0])
    width, height = round(image.shape[1] * scale), round(image.shape[0] * scale)
    fitted = np.zeros((_HEIGHT, _WIDTH, 3), np.uint8)
    fitted[:height, :width] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return fitted


def _mien(clip: Path) -> int:
    with open_video(clip) as video:
        return sum(1 for _ in video)


def _pyav(clip: Path) -> int:
    count = 0
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            frame.to_ndarray(format="rgb24")
            count += 1
    return count


def _opencv(clip: Path) -> int:
    count = 0
    capture = cv2.VideoCapture(str(clip))
    try:
        while capture.read()[0]:
            count += 1
    finally:
        capture.release()
    return count
