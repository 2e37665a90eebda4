import copy

import pytest

torch = pytest.importorskip("torch")

import gloo_ranks  # noqa: E402
import shard_steps  # noqa: E402
from torch.nn import functional  # noqa: E402

from mien.errors import BadInputError, UsageError  # noqa: E402
from mien.training.heads.arcface import ArcFace  # noqa: E402
from mien.training.heads.classifier import Classifier  # noqa: E402
from mien.training.heads.cosface import CosFace  # noqa: E402
from mien.training.heads.curricularface import CurricularFace  # noqa: E402
from mien.training.sharded.class_sampling import sampled_rows  # noqa: E402
from mien.training.sharded.sharded_classifier import ShardedClassifier  # noqa: E402
from mien.training.sharded.sharding import class_range  # noqa: E402


def worst(found, expected):
    """The largest difference, as a share of the tensor's largest magnitude."""
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_losses_and_accumulated_gradients_are_those_of_the_full_layer(ranks, dtype, tolerance, tmp_path):
    parts = gloo_ranks.run(shard_steps.sharded_layers, ranks, tmp_path, ranks, dtype, 2)
    for number, head in enumerate(shard_steps.HEADS):
        expected = shard_steps.full_layer(copy.deepcopy(head), dtype, 2)
        shares = [part[number] for part in parts]
        assert len({tuple(share["losses"]) for share in shares}) == 1
        torch.testing.assert_close(shares[0]["losses"], expected["losses"], rtol=tolerance, atol=0)
        for step in range(2):
            assert (
                worst(torch.cat([share["features"][step] for share in shares]), expected["features"][step]) < tolerance
            )
        assert worst(torch.cat([share["weight"] for share in shares]), expected["weight"]) < tolerance
        if expected["bias"] is not None:
            assert worst(torch.cat([share["bias"] for share in shares]), expected["bias"]) < tolerance
        for share in shares:
            torch.testing.assert_close(share["head"], expected["head"])


@pytest.mark.parametrize("ranks", [1, 3])
def test_sampled_classes_are_a_softmax_over_those_drawn(ranks, tmp_path):
    parts = gloo_ranks.run(shard_steps.sampled_layer, ranks, tmp_path, ranks, torch.float64)
    head = CurricularFace(16.0).double()
    for step in range(3):
        features, labels, weight = shard_steps.problem(torch.float64, step)
        whole = class_range(shard_steps.CLASSES, 0, 1)
        drawn = sampled_rows(whole, labels, 0.3, seed=5, step=step)
        assert len(drawn) < shard_steps.CLASSES
        features.requires_grad_()
        unit = functional.normalize(weight[drawn].requires_grad_())
        column = torch.searchsorted(drawn, labels)
        logits = head(functional.normalize(features) @ unit.t(), column, features.norm(dim=1))
        loss = functional.cross_entropy(logits, column)
        rows = torch.autograd.grad(loss, [features, unit])
        for losses, _ in parts:
            assert losses[step] == pytest.approx(loss.item(), rel=1e-10)
        assert worst(torch.cat([gradients[step][0] for _, gradients in parts]), rows[0]) < 1e-10
        gradient = torch.cat([gradients[step][1].to_dense() for _, gradients in parts])
        touched = [gradients[step][1].coalesce().indices()[0] for _, gradients in parts]
        firsts = [class_range(shard_steps.CLASSES, rank, ranks).first for rank in range(ranks)]
        assert torch.equal(torch.cat([rows + first for rows, first in zip(touched, firsts, strict=True)]), drawn)
        length = weight[drawn].norm(dim=1, keepdim=True)
        expected = (rows[1] - unit * (rows[1] * unit).sum(1, keepdim=True)) / length
        assert worst(gradient[drawn], expected.detach()) < 1e-10


def test_features_under_averaging_get_the_gradient_times_the_ranks(tmp_path):
    plain = gloo_ranks.run(shard_steps.sharded_layers, 1, tmp_path, 1, torch.float64, 1)
    number = next(n for n, head in enumerate(shard_steps.HEADS) if type(head) is CosFace)
    parts = gloo_ranks.run(shard_steps.averaged_gradient, 2, tmp_path, 2)
    torch.testing.assert_close(torch.cat(parts), 2 * plain[0][number]["features"][0])


def test_initial_weights_are_the_same_for_any_number_of_ranks(tmp_path):
    classes = 9001
    whole = shard_steps.initial_weight(0, classes)
    assert whole.std() == pytest.approx(0.01, rel=0.02)
    assert whole.unique(dim=0).shape == whole.shape
    for ranks in (2, 3):
        parts = gloo_ranks.run(shard_steps.initial_weight, ranks, tmp_path, classes)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
        assert torch.equal(torch.cat(parts), whole)


def test_memory_is_a_third_of_the_plain_layer_and_falls_with_the_ranks(tmp_path):
    """In units of one table of logits, pictures x classes in float32; gradients that stay are not counted."""
    classes, dimension, batch = 20_000, 16, 96
    table = classes * batch * 4

    def tables(make, ranks):
        results = gloo_ranks.run(shard_steps.allocated, ranks, tmp_path, make, classes, dimension, batch, ranks)
        return max(peak - left for peak, left, _ in results) / table, max(weight for _, _, weight in results)

    plain, weight = tables(shard_steps.LinearLogits, 1)
    assert 3 < plain < 4  # logits, their log softmax, and the gradients of both
    one, one_weight = tables(shard_steps.sharded_layer, 1)
    assert one_weight == weight
    assert one <= 1.1
    for ranks in (2, 3):
        shard, shard_weight = tables(shard_steps.sharded_layer, ranks)
        # A slab and a few rows of the batch are the same however many ranks there are.
        assert shard <= 1 / ranks + 0.1
        assert shard_weight == pytest.approx(weight / ranks, rel=1e-3)
    sampled, _ = tables(shard_steps.sampled_tenth, 1)
    assert sampled <= 0.1 + 0.15


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("loss_scale", [1.0, 65536.0])
def test_mixed_precision_is_near_single_and_never_overflows(dtype, loss_scale):
    torch.manual_seed(0)
    layer = ShardedClassifier(64, 500, ArcFace())
    labels = torch.zeros(256, dtype=torch.int64)  # the batch of one class adds up most
    labels[:64] = torch.arange(64)
    features = 10 * torch.randn(256, 64)

    def gradients(mixed):
        x = features.clone().requires_grad_()
        layer.weight.grad = None
        with torch.autocast("cpu", dtype, enabled=mixed):
            loss = layer(x.to(dtype) if mixed else x, labels)
        assert loss.dtype == torch.float32
        (loss * loss_scale).backward()
        return loss.item(), x.grad, layer.weight.grad

    exact, near = gradients(False), gradients(True)
    assert near[0] == pytest.approx(exact[0], rel=0.01)
    for found, expected in zip(near[1:], exact[1:], strict=True):
        assert found.isfinite().all()
        assert worst(found, expected) < 0.05


def test_a_backward_pass_cannot_be_repeated():
    layer = ShardedClassifier(4, 5, CosFace())
    loss = layer(torch.randn(3, 4, requires_grad=True), torch.tensor([0, 1, 2]))
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="there is no second one"):
        loss.backward()


def test_evaluation_takes_all_classes_and_leaves_the_state():
    layer = ShardedClassifier(4, 50, CurricularFace(), rate=0.1).eval()
    features, labels = torch.randn(6, 4), torch.arange(6)
    full = Classifier(4, 50, CurricularFace()).eval()
    full.weight.data.copy_(layer.weight.data)
    expected = functional.cross_entropy(full(features, labels), labels)
    torch.testing.assert_close(layer(features, labels), expected)
    assert layer.step == 0
    assert layer.head.t == 0


@pytest.mark.parametrize("label", [-1, 5])
def test_a_label_of_no_class_is_told(label):
    layer = ShardedClassifier(4, 5, CosFace())
    with pytest.raises(BadInputError, match="classifier of 5 classes: they must lie in 0 to 4") as raised:
        layer(torch.zeros(2, 4), torch.tensor([0, label]))
    assert raised.value.code == "label_out_of_range"


def test_draws_are_fair_and_differ_from_step_to_step():
    shard = class_range(20_000, 0, 1)
    labels = torch.tensor([4, 4, 19_999])
    counts = torch.zeros(20_000)
    for step in range(200):
        rows = sampled_rows(shard, labels, 0.1, seed=1, step=step)
        assert torch.equal(rows, rows.unique())
        counts[rows] += 1
    assert counts[4] == counts[19_999] == 200
    others = torch.cat([counts[:4], counts[5:-1]])
    # 200 draws at 0.1: mean 20, variance 18, as independent draws have.
    assert others.mean() == pytest.approx(20, abs=0.15)
    assert others.var() == pytest.approx(18, rel=0.05)
    with pytest.raises(UsageError, match="above 0 and at most 1, not 0"):
        sampled_rows(shard, labels, 0, seed=1, step=0)
