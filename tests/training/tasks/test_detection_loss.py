from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.face.detector import decode  # noqa: E402
from mien.training.tasks.detection_loss import boxes_of, detection_loss, eiou_loss  # noqa: E402
from mien.training.tasks.detection_targets import cells  # noqa: E402

STRIDES = (8, 16, 32)
SIDE = 64
NONE_KNOWN = float("nan")


def reference_eiou(box: np.ndarray, truth: np.ndarray) -> float:
    """Equation 6 of Zhang et al., box by box in float64."""
    left, top = max(box[0], truth[0]), max(box[1], truth[1])
    right, bottom = min(box[2], truth[2]), min(box[3], truth[3])
    shared = max(right - left, 0) * max(bottom - top, 0)
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (box, truth)]
    iou = shared / (sum(areas) - shared)
    width = max(box[2], truth[2]) - min(box[0], truth[0])
    height = max(box[3], truth[3]) - min(box[1], truth[1])
    centres = [((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for b in (box, truth)]
    distance = sum((a - b) ** 2 for a, b in zip(*centres, strict=True))
    wide, tall = ((b[2] - b[0], b[3] - b[1]) for b in (box, truth))
    return (
        1 - iou + distance / (width**2 + height**2)
        + (wide[0] - tall[0]) ** 2 / width**2 + (wide[1] - tall[1]) ** 2 / height**2
    )  # fmt: skip


def test_box_loss_against_the_paper() -> None:
    random = np.random.default_rng(0)
    corners = random.uniform(0, 50, (2, 40, 2))
    boxes, truth = (np.concatenate([low, low + random.uniform(1, 30, (40, 2))], 1) for low in corners)
    ours = eiou_loss(torch.tensor(boxes), torch.tensor(truth)).numpy()
    np.testing.assert_allclose(ours, [reference_eiou(*pair) for pair in zip(boxes, truth, strict=True)], rtol=1e-10)
    same = torch.tensor(truth)
    assert eiou_loss(same, same).abs().max() < 1e-6


def perfect() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Raw cells that say one face exactly, and that face."""
    places = cells(SIDE, SIDE, STRIDES)
    raw = torch.zeros(1, len(places), 16)
    raw[..., :2] = -12.0
    box = torch.tensor([16.0, 8.0, 40.0, 40.0])
    points = torch.tensor([[22.0, 18], [34, 18], [28, 24], [23, 32], [33, 32]])
    raw[..., 2:4] = ((box[:2] + box[2:]) / 2 - places[:, :2]) / places[:, 2:]
    raw[..., 4:6] = ((box[2:] - box[:2]) / places[:, 2:]).log()
    raw[..., 6:] = ((points - places[:, None, :2]) / places[:, None, 2:]).flatten(1)
    return raw, places, box, points


def test_what_the_loss_reads_is_what_the_detector_decodes() -> None:
    raw, places, box, points = perfect()
    raw[0, 5, :2] = 3.0
    outputs = {}
    start = 0
    for stride in STRIDES:
        level = raw[:, start : start + (SIDE // stride) ** 2]
        start += level.shape[1]
        for name, value in (
            ("cls", level[..., :1].sigmoid()), ("obj", level[..., 1:2].sigmoid()),
            ("bbox", level[..., 2:6]), ("kps", level[..., 6:]),
        ):  # fmt: skip
            outputs[f"{name}_{stride}"] = value.numpy()
    (row,) = decode(outputs, 0, SIDE, 0.5)
    np.testing.assert_allclose(row[:4], box, rtol=1e-5)
    np.testing.assert_allclose(row[4:14].reshape(5, 2), points, rtol=1e-5)
    np.testing.assert_allclose(boxes_of(raw, places)[0, 5], box, rtol=1e-5)


def batch(box: torch.Tensor, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    boxes = torch.zeros(1, 3, 4)
    boxes[0, 0] = box
    marks = torch.full((1, 3, 5, 2), NONE_KNOWN)
    marks[0, 0] = points
    return boxes, torch.tensor([[1, 0, 0]]), marks


def test_loss_of_a_perfect_answer_is_what_unsure_cells_cost() -> None:
    raw, places, box, points = perfect()
    boxes, kinds, marks = batch(box, points)
    sure = detection_loss(raw, places, boxes, kinds, marks)
    assert float(sure["box"]) < 1e-4
    assert float(sure["landmark"]) < 1e-6
    wrong = raw.clone()
    wrong[..., 2] += 1.0
    wrong[..., 6] += 1.0
    worse = detection_loss(wrong, places, boxes, kinds, marks)
    assert worse["box"] > 0.1
    assert worse["landmark"] == pytest.approx(0.05, rel=1e-3)  # smooth L1 of 1 is 0.5, weighed by 0.1


def test_unknown_landmarks_cost_nothing_and_teach_nothing() -> None:
    raw, places, box, _ = perfect()
    boxes, kinds, marks = batch(box, torch.full((5, 2), NONE_KNOWN))
    raw.requires_grad_(True)
    parts = detection_loss(raw, places, boxes, kinds, marks)
    parts["loss"].backward()
    assert parts["landmark"] == 0
    assert raw.grad is not None
    assert raw.grad[..., 6:].abs().sum() == 0
    assert raw.grad[..., :6].isfinite().all()


def test_ignored_regions_and_rows_that_fill_up_are_no_objects() -> None:
    raw, places, box, points = perfect()
    boxes, kinds, marks = batch(box, points)
    alone = detection_loss(raw, places, boxes, kinds, marks)
    with_more = detection_loss(raw, places, boxes, torch.tensor([[1, 0, 0]]), marks)
    assert alone["loss"] == with_more["loss"]
    sure_of_nothing = raw.clone()
    far = places[:, 1] >= 48
    sure_of_nothing[0, far, 1] = 5.0
    boxes[0, 1] = torch.tensor([0.0, 44, 64, 64])
    blamed = detection_loss(sure_of_nothing, places, boxes, torch.tensor([[1, 0, 0]]), marks)["object"]
    excused = detection_loss(sure_of_nothing, places, boxes, torch.tensor([[1, 2, 0]]), marks)["object"]
    assert blamed > excused + 1


def test_batch_without_any_object_has_a_finite_loss() -> None:
    raw, places, *_ = perfect()
    raw.requires_grad_(True)
    boxes, kinds, marks = (
        torch.zeros(1, 3, 4),
        torch.zeros(1, 3, dtype=torch.int64),
        torch.full((1, 3, 5, 2), NONE_KNOWN),
    )
    parts = detection_loss(raw, places, boxes, kinds, marks)
    parts["loss"].backward()
    assert all(value.isfinite() for value in parts.values())
    assert parts["box"] == 0
    assert raw.grad is not None
    assert raw.grad.isfinite().all()


def test_people_have_no_landmarks() -> None:
    raw, places, box, points = perfect()
    boxes, kinds, _ = batch(box, points)
    assert set(detection_loss(raw[..., :6], places, boxes, kinds, None)) == {"loss", "object", "quality", "box"}
