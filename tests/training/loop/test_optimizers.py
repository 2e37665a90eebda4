"""Optimizers do the steps of their papers, on the parameters they should."""

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from mien.errors import BadInputError
from mien.training.loop.optimizers import adamw, muon, orthogonal, sgd


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 3)
        self.depthwise = nn.Conv2d(8, 8, 3, groups=8)
        self.norm = nn.BatchNorm2d(8)
        self.classifier = nn.Linear(8, 5)
        self.classifier.is_classifier = True

    def forward(self, x):
        return self.classifier(self.norm(self.depthwise(self.convolution(x))).mean((2, 3)))


def stepped(make, steps=3):
    torch.manual_seed(0)
    module = Small()
    optimizer = make(module)
    for _ in range(steps):
        loss = module(torch.randn(4, 3, 9, 9)).square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module


def decayed(module):
    return [parameter for parameter in module.parameters() if parameter.ndim >= 2]


def others(module):
    return [parameter for parameter in module.parameters() if parameter.ndim < 2]


def same(one, other, tolerance=0.0):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.allclose(first, second, rtol=tolerance, atol=tolerance) for first, second in pairs)


def test_adamw_is_torchs_with_no_decay_on_vectors():
    def reference(module):
        groups = [{"params": decayed(module), "weight_decay": 0.1}, {"params": others(module), "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=0.01)

    assert same(stepped(lambda module: adamw(module, 0.01, weight_decay=0.1)), stepped(reference), 1e-6)


def test_sgd_is_torchs_with_no_decay_on_vectors():
    def reference(module):
        groups = [{"params": decayed(module), "weight_decay": 0.1}, {"params": others(module), "weight_decay": 0.0}]
        return torch.optim.SGD(groups, lr=0.01, momentum=0.9)

    assert same(stepped(lambda module: sgd(module, 0.01, weight_decay=0.1)), stepped(reference), 1e-6)


def test_muon_moves_what_is_no_matrix_as_adamw():
    mine = stepped(lambda module: muon(module, 0.0, weight_decay=0.1, other_learning_rate=0.01))

    def reference(module):
        module.convolution.weight.requires_grad_(False)
        return adamw(module, 0.01, weight_decay=0.1)

    assert same(mine, stepped(reference), 1e-6)


def test_muon_makes_a_matrix_step_orthogonal():
    module = Small()
    before = module.convolution.weight.detach().clone()
    optimizer = muon(module, learning_rate=0.5, weight_decay=0.0, other_learning_rate=0.0)
    module(torch.randn(4, 3, 9, 9)).square().sum().backward()
    gradient = module.convolution.weight.grad.reshape(8, -1).double()
    optimizer.step()
    step = -(module.convolution.weight.detach() - before).reshape(8, -1).double() / 0.5
    assert torch.linalg.svdvals(step).min() > 0.3
    assert torch.linalg.svdvals(step).max() < 1.3
    left, _, right = torch.linalg.svd(gradient, full_matrices=False)
    assert nn.functional.cosine_similarity(step.flatten(), (left @ right).flatten(), dim=0) > 0.95


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (16, 16), (1, 9)])
def test_orthogonal_follows_the_written_iteration(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    left, values, right = torch.linalg.svd(matrix.double() / (matrix.double().norm() + 1e-7), full_matrices=False)
    for _ in range(5):  # on singular values the iteration is this polynomial
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    assert torch.allclose(orthogonal(matrix).double(), left @ torch.diag(values) @ right, atol=2e-4)


def test_multipliers_change_rates_and_freeze():
    module = Small()
    optimizer = adamw(module, 0.1, multipliers={"convolution": 0.5, "classifier": 0.0, "classifier.bias": 2.0})
    rates = {name: group["lr"] for group in optimizer.param_groups for name in group["names"]}
    assert rates["convolution.weight"] == rates["convolution.bias"] == 0.05
    assert rates["norm.weight"] == 0.1
    assert rates["classifier.bias"] == 0.2
    assert "classifier.weight" not in rates
    assert not module.classifier.weight.requires_grad


@pytest.mark.parametrize("multipliers", [{"convolutions": 0.5}, {"": 0.0}])
def test_multipliers_that_make_no_sense(multipliers):
    with pytest.raises(BadInputError) as caught:
        sgd(Small(), 0.1, multipliers=multipliers)
    assert caught.value.code == "recipe_value"
