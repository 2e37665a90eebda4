"""A detector learns, is measured with the product's own decoder, and is exported for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from painted_pictures import PaintedPictures

torch = pytest.importorskip("torch")

import onnxruntime  # noqa: E402
from PIL import Image as PillowImage  # noqa: E402

from mien.face.detector import FaceDetector, decode  # noqa: E402
from mien.training.data.detection_pictures import DetectionPictures  # noqa: E402
from mien.training.data.input_format import InputFormat  # noqa: E402
from mien.training.data.loader import stack  # noqa: E402
from mien.training.networks.anchor_free_detector import AnchorFreeDetector  # noqa: E402
from mien.training.release.export import onnx_bytes  # noqa: E402
from mien.training.tasks.detection_evaluation import (  # noqa: E402
    FaceDetectionEvaluation,
    NetworkPeople,
    NetworkSession,
    PersonDetectionEvaluation,
)
from mien.training.tasks.detection_task import Detection  # noqa: E402

FORMAT = InputFormat(height=96, width=96)
LONG_SIDE = 192
STEPS = 120


@pytest.fixture(scope="module")
def faces() -> tuple[AnchorFreeDetector, list[dict[str, float]]]:
    """A detector after a hundred and twenty steps on twelve pictures, and its figures."""
    torch.manual_seed(0)
    source = PaintedPictures(12)
    data = DetectionPictures(source, FORMAT, long_side=LONG_SIDE, scale=(0.7, 1.4), mosaic=0.3)
    network = AnchorFreeDetector(dense=True)
    task = Detection(network, FORMAT).train()
    optimizer = torch.optim.AdamW(task.parameters(), 1e-2)
    history = []
    for step in range(STEPS):
        batch = stack([data.sample((step * 8 + row) % 12, np.random.default_rng([step, row])) for row in range(8)])
        figures = task(batch, step / STEPS)
        optimizer.zero_grad()
        figures["loss"].backward()
        optimizer.step()
        history.append({name: float(value.detach()) for name, value in figures.items()})
    return network.eval(), history


def test_every_part_of_the_loss_falls(faces) -> None:
    _, history = faces
    for name in ("loss", "object", "box", "landmark"):
        first, last = (np.mean([figures[name] for figures in part]) for part in (history[:5], history[-5:]))
        assert last < 0.6 * first, name


def test_objects_and_landmarks_are_found_in_pictures_never_seen(faces, tmp_path: Path) -> None:
    network, _ = faces
    unseen = PaintedPictures(8, seed=99)
    truth = {}
    for index in range(len(unseen)):
        PillowImage.fromarray(unseen.picture(index)).save(tmp_path / f"{index}.png")
        boxes = unseen.objects(index).boxes
        sized = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).tolist()
        truth[f"{index}.png"] = {"boxes_xywh": sized, "easy": [0, 1, 2], "medium": [0, 1, 2], "hard": []}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    measured = FaceDetectionEvaluation(str(tmp_path), str(tmp_path / "truth.json"), FORMAT, LONG_SIDE)(network)
    assert set(measured) == {"ap_easy", "ap_medium"}
    assert measured["ap_easy"] > 0.8
    session = NetworkSession(network, FORMAT)
    (found,) = FaceDetector(long_side=LONG_SIDE, score=0.3, session=session).batch([unseen.picture(0)])
    objects = unseen.objects(0)
    errors = [np.linalg.norm(face.landmarks - objects.landmarks, axis=2).mean(1).min() / 60 for face in found[:3]]
    assert np.mean(errors) < 0.25


def test_people_are_measured_against_boxes_and_ignored_ones_excuse(faces) -> None:
    people, _ = faces
    unseen = PaintedPictures(8, seed=99)
    evaluation = PersonDetectionEvaluation(unseen, FORMAT, LONG_SIDE)
    assert evaluation(people)["ap50"] > 0.8
    for _, objects in unseen.made:
        objects.ignored[0] = True
    assert evaluation(people)["ap50"] > 0.8
    (found,) = NetworkPeople(people, FORMAT, LONG_SIDE, score=0.3).batch([unseen.picture(1)])
    assert [person.score for person in found] == sorted((person.score for person in found), reverse=True)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_exported_detector_is_decoded_as_the_trained_one(faces) -> None:
    network, _ = faces
    session = onnxruntime.InferenceSession(onnx_bytes(network, FORMAT), providers=["CPUExecutionProvider"])
    picture = np.zeros((160, 192, 3), np.uint8)
    image = PaintedPictures(1, seed=3).picture(0)[:160, :192]
    picture[: image.shape[0], : image.shape[1]] = image
    values = FORMAT.tensor(torch.from_numpy(picture[None])).numpy()
    names = [output.name for output in session.get_outputs()]
    exported = dict(zip(names, session.run(None, {"input": np.ascontiguousarray(values)}), strict=True))
    ours = NetworkSession(network, FORMAT)(picture[None])
    assert names == list(network.output_names)
    expected, got = (decode(outputs, 0, 192, 0.1) for outputs in (ours, exported))
    assert len(expected) > 0
    assert len(expected) == len(got)
    np.testing.assert_allclose(got, expected, atol=0.5)  # weights stored in half precision
