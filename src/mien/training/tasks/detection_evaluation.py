"""A detector that is being trained, measured as it will be used: behind the same decoder and the same rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from mien.evaluation.detection import evaluate
from mien.evaluation.person_detection import average_precision
from mien.face.detector import FaceDetector, decode
from mien.geometry import suppress
from mien.models.runtime import Outputs
from mien.records import Image, Person
from mien.training.data.boxed_pictures import BoxedSource
from mien.training.data.input_format import InputFormat
from mien.training.networks.anchor_free_detector import STRIDES

_LEAST_SCORE = 0.02
_SAME_PERSON = 0.45
_BORDER = 114
"""As `mien.person.detector` pads a picture."""


class NetworkSession:
    """A torch detector where a `mien.models.runtime.Session` is expected.

    Args:
        network: an `AnchorFreeDetector` in evaluation mode.
        input_format: its normalization.
    """

    def __init__(self, network: nn.Module, input_format: InputFormat) -> None:
        self._network, self._input_format = network, input_format

    def many(self, batches: Sequence[Image]) -> list[Outputs]:
        """The outputs by name of batches of pictures, RGB uint8 `(B, H, W, 3)`."""
        return [self(batch) for batch in batches]

    def __call__(self, images: Image) -> Outputs:
        """The outputs by name of one batch."""
        device = next(self._network.parameters()).device
        pictures = self._input_format.tensor(torch.from_numpy(np.ascontiguousarray(images)).to(device))
        with torch.inference_mode():
            outputs = self._network(pictures)
        names: Sequence[str] = self._network.output_names  # type: ignore[assignment]
        return {name: output.float().cpu().numpy() for name, output in zip(names, outputs, strict=True)}


class FaceDetectionEvaluation:
    """Average precision by the rules of WIDER FACE.

    Args:
        images: folder of the pictures.
        truth: as `mien evaluate detection --truth` takes it.
        input_format: the network's normalization.
        long_side: pictures are reduced to this longest side in pixels.
    """

    def __init__(self, images: str, truth: str, input_format: InputFormat, long_side: int = 640) -> None:
        self._images, self._truth = Path(images), Path(truth)
        self._input_format, self._long_side = input_format, long_side

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """`ap_easy`, `ap_medium` and `ap_hard`."""
        session = NetworkSession(network, self._input_format)
        detector = FaceDetector(long_side=self._long_side, score=_LEAST_SCORE, session=session)  # type: ignore[arg-type]
        precision = evaluate(detector, self._images, self._truth)["ap"]
        return {f"ap_{level}": value for level, value in precision.items() if value is not None}


class NetworkPeople:
    """People that a torch detector without landmarks finds: what `mien.evaluation.person_detection.evaluate` takes.

    Args:
        network: an `AnchorFreeDetector(landmarks=0)` in evaluation mode.
        input_format: its normalization.
        long_side: pictures are brought to this longest side in pixels.
        score: least confidence.
    """

    name = "network in training"

    def __init__(
        self, network: nn.Module, input_format: InputFormat, long_side: int = 416, score: float = _LEAST_SCORE
    ) -> None:
        self._session = NetworkSession(network, input_format)
        self._long_side, self._score = long_side, score

    def batch(self, images: Sequence[Image]) -> list[list[Person]]:
        """People of several pictures, best first."""
        return [self._people(image) for image in images]

    def _people(self, image: Image) -> list[Person]:
        scale = self._long_side / max(image.shape[:2])
        height, width = (max(1, round(side * scale)) for side in image.shape[:2])
        filtering = cv2.INTER_AREA if scale < 0.5 else cv2.INTER_LINEAR
        padded = np.full((height + -height % STRIDES[-1], width + -width % STRIDES[-1], 3), _BORDER, np.uint8)
        padded[:height, :width] = cv2.resize(image, (width, height), interpolation=filtering)
        outputs = self._session(padded[None])
        for stride in STRIDES:
            outputs[f"kps_{stride}"] = np.zeros((*outputs[f"bbox_{stride}"].shape[:2], 10), np.float32)
        rows = decode(outputs, 0, padded.shape[1], self._score)
        boxes, scores = rows[:, :4] / np.float32(scale), rows[:, 14]
        return [Person(boxes[index], float(scores[index])) for index in suppress(boxes, scores, _SAME_PERSON)]


class PersonDetectionEvaluation:
    """Average precision at IoU 0.5 against boxes that teachers agree on.

    Args:
        source: pictures that are not trained on, with boxes.
        input_format: the network's normalization.
        long_side: pictures are brought to this longest side in pixels.
        most: only so many pictures are looked at.
    """

    def __init__(self, source: BoxedSource, input_format: InputFormat, long_side: int = 416, most: int = 100) -> None:
        self._source, self._count = source, min(len(source), most)
        self._input_format, self._long_side = input_format, long_side

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """`ap50`."""
        detector = NetworkPeople(network, self._input_format, self._long_side)
        found, truth = [], []
        for index in range(self._count):
            (people,) = detector.batch([self._source.picture(index)])
            boxes = np.array([person.box for person in people]).reshape(-1, 4)
            found.append((boxes, np.array([person.score for person in people])))
            objects = self._source.objects(index)
            truth.append((objects.boxes, ~objects.ignored))
        precision = average_precision(found, truth)
        return {} if precision is None else {"ap50": round(precision, 6)}
