"""The distances of distillation against numpy in float64."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.training.losses.distillation import cosine_distance, hint_distance, relational_distance  # noqa: E402


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    return random.normal(size=(7, 5)), random.normal(size=(7, 5))


def test_cosine_distance(pair):
    student, teacher = pair
    expected = 1 - (_unit(student) * _unit(teacher)).sum(1).mean()
    assert float(cosine_distance(*map(torch.from_numpy, pair))) == pytest.approx(expected, abs=1e-12)
    assert float(cosine_distance(torch.from_numpy(student), torch.from_numpy(3 * student))) == pytest.approx(
        0, abs=1e-9
    )


def test_relational_distance_leaves_out_the_diagonal(pair):
    student, teacher = pair
    teacher = np.concatenate([teacher, teacher[:, :2]], 1)  # the teacher's embedding may be longer
    s, t = _unit(student), _unit(teacher)
    total = sum((s[i] @ s[j] - t[i] @ t[j]) ** 2 for i in range(7) for j in range(7) if i != j)
    got = relational_distance(torch.from_numpy(student), torch.from_numpy(teacher))
    assert float(got) == pytest.approx(total / 42, abs=1e-12)


def test_relational_distance_does_not_see_a_rotation(pair):
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))
    turned = torch.from_numpy(pair[0] @ rotation)
    assert float(relational_distance(turned, torch.from_numpy(pair[0]))) == pytest.approx(0, abs=1e-12)
    assert float(cosine_distance(turned, torch.from_numpy(pair[0]))) > 0.1


def test_hint_distance_is_one_for_a_constant_guess():
    teacher = torch.from_numpy(np.random.default_rng(1).normal(2, 3, (4, 3, 6, 6)))
    guess = torch.full_like(teacher, float(teacher.mean()))
    assert float(hint_distance(guess, teacher)) == pytest.approx(1, rel=1e-2)
    assert float(hint_distance(teacher, teacher)) == 0


def test_hint_of_another_size_is_averaged_to_the_students():
    teacher = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 3, 64, 64)))
    small = torch.nn.functional.interpolate(teacher, (16, 16), mode="area")
    # Averages over nearly the same places agree; single places, which is what sampling would give, are other numbers.
    assert float(hint_distance(small, teacher)) < 1
    assert float(hint_distance(teacher[:, :, ::4, ::4], teacher)) > 5


def test_gradients_reach_the_student_only(pair):
    student = torch.from_numpy(pair[0]).requires_grad_()
    (
        cosine_distance(student, torch.from_numpy(pair[1])) + relational_distance(student, torch.from_numpy(pair[1]))
    ).backward()
    assert student.grad is not None
    assert torch.isfinite(student.grad).all()
