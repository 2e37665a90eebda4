"""The distillation task: its loss falls, its hints fade, its labels help, its errors say why."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.errors import BadInputError  # noqa: E402
from mien.training.data.input_format import InputFormat  # noqa: E402
from mien.training.networks.dense_student import DenseStudent  # noqa: E402
from mien.training.tasks.distillation import Distillation  # noqa: E402

FORMAT = InputFormat(height=32, width=32)


class FourLessons:
    """What the task asks of the data: four pictures of blobs with made-up answers."""

    dimension, hint_widths = 6, (5, 7)
    labels = {"identity": np.array([0, 0, 1, 1])}  # noqa: RUF012


def _student(dimension: int = 6) -> DenseStudent:
    torch.manual_seed(0)
    return DenseStudent((32, 32), widths=(4, 6, 8), depths=(1, 1, 1), dimension=dimension)


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    image = torch.randint(0, 256, (4, 4, 4, 3), generator=random, dtype=torch.uint8)
    return {
        "image": image.repeat_interleave(8, 1).repeat_interleave(8, 2),
        "embedding": torch.randn(4, 6, generator=random).half(),
        "hint_0": torch.randn(4, 5, 4, 4, generator=random).half(),
        "hint_1": torch.randn(4, 7, 2, 2, generator=random).half(),
        "identity": torch.tensor([0, 0, 1, 1]),
    }


def _task(**changes) -> Distillation:
    return Distillation(_student(), FourLessons(), FORMAT, **changes)


def test_the_loss_is_the_weighted_sum_of_its_parts(batch):
    figures = _task(relational=3.0, identity=0.5, hint=0.0)(batch, 0.0)
    parts = figures["cosine"] + 3 * figures["relational"] + 0.5 * figures["identity"]
    assert figures["loss"].item() == pytest.approx(parts.item(), rel=1e-5)


def test_hints_fade_out(batch):
    task = _task(relational=0.0, hint=1.0, hint_until=0.5)
    over = [((figures := task(batch, at))["loss"] - figures["cosine"]).item() for at in (0.0, 0.25, 0.5, 0.9)]
    assert over[0] > 0.5
    assert over[1] == pytest.approx(over[0] / 2, rel=0.05)
    assert over[2:] == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("identity", [0.0, 0.5])
def test_a_student_learns_four_lessons_by_heart(batch, identity):
    task = _task(identity=identity)
    optimizer = torch.optim.Adam(task.parameters(), 0.01)
    for step in range(80):
        figures = task(batch, step / 80)
        optimizer.zero_grad()
        figures["loss"].backward()
        optimizer.step()
    # Four random answers are 1 away from a random embedding.
    assert figures["cosine"].item() < 0.3
    assert figures["relational"].item() < 0.1
    if identity:
        assert figures["identity"].item() < 0.6


def test_what_is_trained_beside_the_network_is_not_part_of_it():
    task = _task(identity=1.0)
    names = {name.split(".")[0] for name, _ in task.named_parameters()}
    assert names == {"network", "adapters", "classifier"}
    assert task.classifier.is_classifier


def test_misfits_are_named():
    with pytest.raises(BadInputError, match=r"network\.dimension = 9, but the teacher's embeddings have 6") as error:
        Distillation(_student(9), FourLessons(), FORMAT)
    assert error.value.code == "student_misfit"
    three = type("ThreeHints", (FourLessons,), {"hint_widths": (1, 2, 3)})()
    with pytest.raises(BadInputError, match="names 3 maps, the student shows 2"):
        Distillation(_student(), three, FORMAT)
    unlabelled = type("Unlabelled", (FourLessons,), {"labels": {}})()
    with pytest.raises(BadInputError, match="carry no identities") as error:
        Distillation(_student(), unlabelled, FORMAT, identity=1.0)
    assert error.value.code == "data_unlabelled"
