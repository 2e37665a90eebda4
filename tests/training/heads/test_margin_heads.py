"""Every head against the formula of its paper, written out in plain floats, and against another package's figures."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from mien.errors import UsageError  # noqa: E402
from mien.training.heads.adaface import AdaFace  # noqa: E402
from mien.training.heads.arcface import ArcFace  # noqa: E402
from mien.training.heads.classifier import Classifier  # noqa: E402
from mien.training.heads.combined import CombinedMargin  # noqa: E402
from mien.training.heads.cosface import CosFace  # noqa: E402
from mien.training.heads.curricularface import CurricularFace  # noqa: E402
from mien.training.heads.normface import NormFace  # noqa: E402
from mien.training.heads.softmax import Softmax  # noqa: E402
from mien.training.heads.sv_softmax import SVAMSoftmax, SVArcSoftmax, SVSoftmax  # noqa: E402

FIGURES = json.loads((Path(__file__).parents[1] / "metric_learning.json").read_text())

SCALE = 8.0


def arc(cosine, margin):
    angle = math.acos(cosine)
    return math.cos(angle + margin) if angle + margin < math.pi else cosine - margin * math.sin(margin)


def sphere(angle):
    turns = math.floor(angle / math.pi)
    return (-1) ** turns * math.cos(angle) - 2 * turns


def plain(cosines, own, norms):
    return cosines


def with_own(value):
    """Only the own class is changed."""

    def logits(cosines, own, norms):
        return [
            [SCALE * (value(c) if k == y else c) for k, c in enumerate(row)]
            for row, y in zip(cosines, own, strict=True)
        ]

    return logits


def support_vectors(value, t):
    """The probabilities' weight h(t, cosine) of wrongly ranked classes, as a logit: log h + s cosine."""

    def logits(cosines, own, norms):
        table = []
        for row, y in zip(cosines, own, strict=True):
            f = value(row[y])
            h = [math.exp(SCALE * (t - 1) * (c + 1)) if f - c < 0 else 1.0 for c in row]
            table.append([SCALE * f if k == y else math.log(h[k]) + SCALE * c for k, c in enumerate(row)])
        return table

    return logits


def curricular(margin, momentum):
    def logits(cosines, own, norms):
        t = (1 - momentum) * float(np.mean([row[y] for row, y in zip(cosines, own, strict=True)]))
        table = []
        for row, y in zip(cosines, own, strict=True):
            f = arc(row[y], margin)
            table.append([SCALE * (f if k == y else c if f >= c else c * (t + c)) for k, c in enumerate(row)])
        return table

    return logits


def adaptive(margin, h, momentum):
    def logits(cosines, own, norms):
        lengths = [min(max(n, 0.001), 100.0) for n in norms]
        mean = momentum * 20.0 + (1 - momentum) * float(np.mean(lengths))
        deviation = momentum * 100.0 + (1 - momentum) * float(np.std(lengths, ddof=1))
        table = []
        for row, y, length in zip(cosines, own, lengths, strict=True):
            q = min(max(h * (length - mean) / (deviation + 0.001), -1.0), 1.0)
            angle = min(max(math.acos(row[y]) - margin * q, 0.001), math.pi - 0.001)
            own_value = math.cos(angle) - margin * q - margin
            table.append([SCALE * (own_value if k == y else c) for k, c in enumerate(row)])
        return table

    return logits


CASES = {
    "softmax": (Softmax(), plain),
    "normface": (NormFace(SCALE), with_own(lambda c: c)),
    "cosface": (CosFace(SCALE, 0.35), with_own(lambda c: c - 0.35)),
    "arcface": (ArcFace(SCALE, 0.5), with_own(lambda c: arc(c, 0.5))),
    "combined": (
        CombinedMargin(SCALE, 1.1, 0.3, 0.2),
        with_own(lambda c: sphere(1.1 * math.acos(c) + 0.3) - 0.2),
    ),
    "sphereface": (CombinedMargin(SCALE, 4.0, 0.0, 0.0), with_own(lambda c: sphere(4 * math.acos(c)))),
    "sv": (SVSoftmax(SCALE, 1.2), support_vectors(lambda c: c, 1.2)),
    "sv-am": (SVAMSoftmax(SCALE, 1.2, 0.35), support_vectors(lambda c: c - 0.35, 1.2)),
    "sv-arc": (SVArcSoftmax(SCALE, 1.3, 0.5), support_vectors(lambda c: arc(c, 0.5), 1.3)),
    "curricularface": (CurricularFace(SCALE, 0.5, 0.6), curricular(0.5, 0.6)),
    "adaface": (AdaFace(SCALE, 0.4, 0.333, 0.3), adaptive(0.4, 0.333, 0.3)),
}


def problem():
    """Features of several lengths, and weights; every kind of cosine with the own class."""
    generator = np.random.default_rng(3)
    weight = generator.normal(size=(7, 4))
    own = np.arange(12) % 7
    features = weight[own] * np.linspace(-3, 4, 12)[:, None] + generator.normal(size=(12, 4))
    features[0] = -20 * weight[0] + 0.3  # beyond 180 degrees with a margin
    features[1] = 30 * weight[1] + 0.1
    return features, own.tolist(), weight


def reference_loss(formula, features, own, weight, bias=None):
    """Mean of -log softmax, from the definition."""
    norms = [math.sqrt(sum(v * v for v in row)) for row in features]
    cosines = [
        [
            sum(a * b for a, b in zip(row, w, strict=True))
            / (1 if bias is not None else n * math.sqrt(sum(v * v for v in w)))
            + (bias[k] if bias is not None else 0)
            for k, w in enumerate(weight)
        ]
        for row, n in zip(features, norms, strict=True)
    ]
    losses = []
    for row, y in zip(formula(cosines, own, norms), own, strict=True):
        top = max(row)
        losses.append(top + math.log(sum(math.exp(v - top) for v in row)) - row[y])
    return sum(losses) / len(losses)


def layer_of(head, weight):
    layer = Classifier(weight.shape[1], len(weight), head).double()
    layer.weight.data.copy_(torch.tensor(weight))
    if layer.bias is not None:
        layer.bias.data.copy_(torch.linspace(-1, 1, len(weight), dtype=torch.float64))
    return layer


@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradients_are_those_of_the_paper(name, fresh_head):
    head, formula = CASES[name]
    features, own, weight = problem()
    layer = layer_of(fresh_head(head), weight)
    x = torch.tensor(features, requires_grad=True)
    labels = torch.tensor(own)
    loss = functional.cross_entropy(layer(x, labels), labels)
    bias = None if layer.bias is None else layer.bias.tolist()
    assert loss.item() == pytest.approx(reference_loss(formula, features, own, weight, bias), rel=1e-12)
    loss.backward()
    statistics_stay = name in ("adaface", "curricularface")  # t and q follow the features, without gradient
    if not statistics_stay:
        for row, column in [(0, 1), (1, 2), (5, 0), (11, 3)]:
            assert x.grad[row, column].item() == pytest.approx(
                slope(lambda f: reference_loss(formula, f, own, weight, bias), features, row, column),
                rel=1e-6,
                abs=1e-9,
            )
        assert layer.weight.grad[2, 1].item() == pytest.approx(
            slope(lambda w: reference_loss(formula, features, own, w, bias), weight, 2, 1), rel=1e-6, abs=1e-9
        )


def slope(function, values, row, column, step=1e-4):
    """Numeric derivative of fourth order."""

    def at(offset):
        moved = values.copy()
        moved[row, column] += offset * step
        return function(moved)

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * step)


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_a_fixed_state(name, fresh_head):
    """In evaluation statistics stand still, so that automatic and numeric derivatives can be compared for all heads."""
    features, own, weight = problem()
    layer = layer_of(fresh_head(CASES[name][0]), weight).eval()
    labels = torch.tensor(own)
    if name == "adaface":  # its quality follows the length on purpose without gradient: keep the length
        features /= np.linalg.norm(features, axis=1, keepdims=True)

        def loss(x):
            return functional.cross_entropy(layer.head(functional.normalize(x) @ unit.t(), labels, ones), labels)

        ones, unit = torch.ones(len(own)), functional.normalize(layer.weight.detach())
    else:

        def loss(x):
            return functional.cross_entropy(layer(x, labels), labels)

    assert torch.autograd.gradcheck(loss, torch.tensor(features, requires_grad=True), atol=1e-7)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("normface_16", NormFace(16.0)),
        ("cosface_16_0.35", CosFace(16.0, 0.35)),
        ("arcface_16_0.5", ArcFace(16.0, 0.5)),
        ("sphereface_16_4", CombinedMargin(16.0, 4.0, 0.0, 0.0)),
    ],
)
def test_figures_of_pytorch_metric_learning(name, head, fresh_head):
    expected = FIGURES["softmax"][name]
    layer = layer_of(fresh_head(head), np.array(FIGURES["weight"]))
    x, labels = torch.tensor(FIGURES["features"], dtype=torch.float64), torch.tensor(FIGURES["labels"])
    x.requires_grad_()
    loss = functional.cross_entropy(layer(x, labels), labels)
    loss.backward()
    assert loss.item() == pytest.approx(expected["loss"], rel=1e-9)
    np.testing.assert_allclose(x.grad.numpy(), expected["features"], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(layer.weight.grad.numpy(), expected["weight"], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_a_shard_has_the_columns_of_the_full_layer(name, fresh_head):
    head = fresh_head(CASES[name][0]).double()
    generator = torch.Generator().manual_seed(0)
    cosine = torch.rand(9, 10, generator=generator, dtype=torch.float64) * 2 - 1
    labels = torch.arange(9)
    norm = torch.linspace(5, 40, 9, dtype=torch.float64)
    full = fresh_head(head)(cosine, labels, norm)
    own = cosine[torch.arange(9), labels]
    for first, last in [(0, 4), (4, 10)]:
        column = torch.where((labels >= first) & (labels < last), labels - first, -1)
        shard = fresh_head(head)(cosine[:, first:last], column, norm, own)
        torch.testing.assert_close(shard, full[:, first:last], rtol=0, atol=0)


@pytest.mark.parametrize("name", [name for name in CASES if name != "softmax"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_gradients_stay_finite_at_both_ends(name, dtype, fresh_head):
    head = fresh_head(CASES[name][0]).to(dtype)
    ends = torch.tensor([1.0, 1.0 + 2e-7, -1.0, -1.0 - 2e-7], dtype=dtype)
    cosine = torch.stack([ends, -ends], dim=1).requires_grad_()
    norm = torch.full((4,), 20.0, dtype=dtype)
    head(cosine, torch.zeros(4, dtype=torch.int64), norm).sum().backward()
    assert cosine.grad.isfinite().all()


@pytest.mark.parametrize("name", ["arcface", "combined", "sphereface", "cosface", "sv-arc"])
def test_the_own_value_falls_with_the_angle_all_the_way(name, fresh_head):
    head = fresh_head(CASES[name][0]).double()
    cosine = torch.linspace(0, math.pi, 2000, dtype=torch.float64).cos()
    value = head.target(cosine, torch.ones(2000))
    assert (value.diff() < 1e-12).all()


def test_statistics_move_in_training_only():
    cosine, labels, norm = torch.tensor([[0.5, 0.1]]), torch.tensor([0]), torch.tensor([30.0])
    curricular_head, ada = CurricularFace(momentum=0.9), AdaFace(momentum=0.9)
    for head in (curricular_head.eval(), ada.eval()):
        head(cosine, labels, norm)
    assert (curricular_head.t, ada.norm_mean) == (0, 20)
    for head in (curricular_head.train(), ada.train()):
        head(cosine, labels, norm)
    assert curricular_head.t.item() == pytest.approx(0.05)
    assert ada.norm_mean.item() == pytest.approx(21)
    assert ada.norm_deviation == 100  # one picture has no deviation


def test_hard_classes_are_emphasised_and_easy_ones_not():
    """The derivative of the loss with a class's cosine, beside NormFace's: 1.2 times the probability, or less."""
    cosine = torch.tensor([[0.2, 0.6, 0.1]])
    labels, norm = torch.tensor([0]), torch.ones(1)
    probability = functional.softmax(SVSoftmax(SCALE, 1.2)(cosine, labels, norm), 1)[0]
    before = functional.softmax(NormFace(SCALE)(cosine, labels, norm), 1)[0]
    assert probability[1] / probability[0] == pytest.approx(
        float(before[1] / before[0]) * math.exp(SCALE * 0.2 * 1.6), rel=1e-5
    )
    assert probability[2] / probability[0] == pytest.approx(float(before[2] / before[0]), rel=1e-5)


def test_a_scale_of_nothing_and_an_emphasis_below_one_are_refused():
    with pytest.raises(UsageError, match="scale of a head must be above 0, not 0"):
        CosFace(scale=0)
    with pytest.raises(UsageError, match=r"must be at least 1, not 0\.9"):
        SVSoftmax(emphasis=0.9)
