"""Every loss against its definition in plain loops, and against another package's figures."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from mien.errors import BadInputError  # noqa: E402
from mien.training.losses.center import CenterLoss  # noqa: E402
from mien.training.losses.circle import circle  # noqa: E402
from mien.training.losses.contrastive import contrastive  # noqa: E402
from mien.training.losses.label_smoothing import smoothed_cross_entropy  # noqa: E402
from mien.training.losses.triplet import batch_all, batch_hard  # noqa: E402
from mien.training.losses.two_stream import TwoStreamLoss  # noqa: E402

FIGURES = json.loads((Path(__file__).parents[1] / "metric_learning.json").read_text())


def all_pairs(features, labels, margin):
    """Contrastive loss over the batch's ordered pairs, as the figures have it."""
    first, second = (~torch.eye(len(labels), dtype=torch.bool)).nonzero(as_tuple=True)
    return contrastive(features[first], features[second], labels[first] == labels[second], margin)


def distance(a, b):
    return math.sqrt(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)))


def cosine(a, b):
    return float(np.dot(a, b) / math.sqrt(np.dot(a, a) * np.dot(b, b)))


def slow_contrastive(features, labels):
    total, pairs = 0.0, 0
    for i, x in enumerate(features):
        for j, y in enumerate(features):
            if i != j:
                d = distance(x, y)
                total += (d * d if labels[i] == labels[j] else max(0.0, 4.0 - d) ** 2) / 2
                pairs += 1
    return total / pairs


def slow_batch_hard(pay):
    def loss(features, labels):
        each = []
        for i, x in enumerate(features):
            same = [distance(x, y) for j, y in enumerate(features) if j != i and labels[j] == labels[i]]
            other = [distance(x, y) for j, y in enumerate(features) if labels[j] != labels[i]]
            if same and other:
                each.append(pay(max(same) - min(other)))
        return sum(each) / len(each)

    return loss


def slow_batch_all(pay):
    def loss(features, labels):
        each = []
        for a, x in enumerate(features):
            for p, y in enumerate(features):
                for n, z in enumerate(features):
                    if a != p and labels[a] == labels[p] != labels[n]:
                        each.append(pay(distance(x, y) - distance(x, z)))
        return sum(each) / sum(value > 0 for value in each)

    return loss


def slow_circle(features, labels):
    each = []
    for i, x in enumerate(features):
        to_same = to_other = 0.0
        for j, y in enumerate(features):
            s = cosine(x, y)
            if j != i and labels[j] == labels[i]:
                to_same += math.exp(-64 * max(0.0, 1.25 - s) * (s - 0.75))
            elif j != i:
                to_other += math.exp(64 * max(0.0, s + 0.25) * (s - 0.25))
        each.append(math.log(1 + to_same * to_other))
    return sum(each) / len(each)


def hinge(difference):
    return max(0.0, difference + 0.3)


def soft(difference):
    return math.log(1 + math.exp(difference))


CASES = {
    "contrastive_4": (lambda x, y: all_pairs(x, y, 4.0), slow_contrastive),
    "batch_hard_0.3": (lambda x, y: batch_hard(x, y, 0.3), slow_batch_hard(hinge)),
    "batch_hard_soft": (lambda x, y: batch_hard(x, y, None), slow_batch_hard(soft)),
    "batch_all_0.3": (lambda x, y: batch_all(x, y, 0.3), slow_batch_all(hinge)),
    "batch_all_soft": (lambda x, y: batch_all(x, y, None), slow_batch_all(soft)),
    "circle_64_0.25": (lambda x, y: circle(x, y, 64.0, 0.25), slow_circle),
}


@pytest.mark.parametrize("name", CASES)
def test_definition_and_figures_of_pytorch_metric_learning(name):
    function, slow = CASES[name]
    x, y = torch.tensor(FIGURES["features"], dtype=torch.float64), torch.tensor(FIGURES["labels"])
    x.requires_grad_()
    loss = function(x, y)
    loss.backward()
    assert loss.item() == pytest.approx(slow(x.tolist(), y.tolist()), rel=1e-9)
    assert loss.item() == pytest.approx(FIGURES["metric"][name]["loss"], rel=1e-9)
    np.testing.assert_allclose(x.grad.numpy(), FIGURES["metric"][name]["features"], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("function", [batch_hard, batch_all, circle])
def test_pictures_without_a_partner_do_not_count(function):
    x = torch.randn(7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with_lonely = function(x, torch.tensor([0, 0, 1, 1, 2, 2, 3]))
    assert with_lonely.isfinite()
    assert function(x, torch.arange(7)) == 0
    assert function(x, torch.zeros(7, dtype=torch.int64)) == 0


@pytest.mark.parametrize("function", [batch_hard, batch_all, circle])
@pytest.mark.parametrize("labels", [[0, 0, 1, 1], [0, 1, 2, 3]])
def test_two_copies_of_one_picture_have_a_finite_gradient(function, labels):
    x = torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [3.0, 1.0]], requires_grad=True)
    function(x, torch.tensor(labels)).backward()
    assert x.grad.isfinite().all()


def test_contrastive_loss_of_two_copies_has_a_finite_gradient():
    x = torch.ones(2, 3, requires_grad=True)
    contrastive(x, torch.ones(2, 3), torch.tensor([True, False])).backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("function", [batch_hard, batch_all, circle, CenterLoss(2, 3)])
def test_a_label_too_few_is_told(function):
    with pytest.raises(BadInputError, match=r"features of shape \(3, 2\) with labels of shape \(2,\)") as raised:
        function(torch.zeros(3, 2), torch.tensor([0, 1]))
    assert raised.value.code == "batch_mismatch"


def test_label_smoothing_spreads_over_all_classes():
    generator = np.random.default_rng(0)
    scores, labels, smoothing = generator.normal(size=(6, 5)), [0, 1, 2, 3, 4, 0], 0.1
    expected = 0.0
    for row, label in zip(scores.tolist(), labels, strict=True):
        rest = math.log(sum(math.exp(value) for value in row))
        for k, value in enumerate(row):
            expected -= (smoothing / 5 + (1 - smoothing) * (k == label)) * (value - rest) / 6
    loss = smoothed_cross_entropy(torch.tensor(scores), torch.tensor(labels), smoothing)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_center_loss_and_the_centres_after_two_steps():
    generator = np.random.default_rng(0)
    module = CenterLoss(3, 4, rate=0.5).double()
    centres = np.zeros((4, 3))
    for _ in range(2):
        features, labels = generator.normal(size=(5, 3)), np.array([0, 2, 2, 0, 2])
        x = torch.tensor(features, requires_grad=True)
        loss = module(x, torch.tensor(labels))
        loss.backward()
        assert loss.item() == pytest.approx(((features - centres[labels]) ** 2).sum() / 2 / 5)
        np.testing.assert_allclose(x.grad.numpy(), (features - centres[labels]) / 5)
        for j in range(4):
            members = features[labels == j]
            centres[j] -= 0.5 * (centres[j] - members).sum(0) / (1 + len(members))
        np.testing.assert_allclose(module.centres.numpy(), centres)
    before = module.centres.clone()
    module.eval()(x, torch.tensor(labels))
    assert torch.equal(module.centres, before)
    assert not list(module.parameters())


def test_two_streams_identify_both_and_compare_their_square():
    torch.manual_seed(0)
    module = TwoStreamLoss(4, 3, dropout=0.0).double()
    for parameter in module.parameters():
        parameter.data.normal_()
    first, second = torch.randn(2, 5, 4, dtype=torch.float64)
    first_labels, second_labels = torch.tensor([0, 1, 2, 0, 1]), torch.tensor([0, 2, 2, 1, 1])
    expected_identity = expected_verification = 0.0
    for a, b, i, j in zip(first, second, first_labels, second_labels, strict=True):
        for picture, label in ((a, i), (b, j)):
            scores = module.identity.weight @ picture + module.identity.bias
            expected_identity -= 0.5 * functional.log_softmax(scores, 0)[label].item() / 5
        scores = module.verification.weight @ (a - b) ** 2 + module.verification.bias
        expected_verification -= functional.log_softmax(scores, 0)[int(i == j)].item() / 5
    identification, verification = module(first, second, first_labels, second_labels)
    assert identification.item() == pytest.approx(expected_identity)
    assert verification.item() == pytest.approx(expected_verification)


def test_two_streams_forget_squares_in_training_only():
    module = TwoStreamLoss(64, 3)
    first, second = torch.randn(2, 4, 64)
    labels = torch.tensor([0, 1, 2, 0])
    assert module(first, second, labels, labels)[1] != module(first, second, labels, labels)[1]
    module.eval()
    assert module(first, second, labels, labels)[1] == module(first, second, labels, labels)[1]
