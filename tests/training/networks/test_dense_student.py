"""The student's shapes, its smaller pictures, and that every weight learns."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mien.training.networks.dense_student import DenseStudent  # noqa: E402


def test_shapes_of_embedding_and_maps():
    network = DenseStudent((96, 64), widths=(8, 12, 16), depths=(1, 2, 1), dimension=24).eval()
    embedding, middle, coarse = network.features(torch.zeros(2, 3, 96, 64))
    assert embedding.shape == (2, 24)
    assert middle.shape == (2, 12, 12, 8)
    assert coarse.shape == (2, 16, 6, 4)
    assert network.map_widths == (12, 16)


def test_every_parameter_gets_a_gradient():
    network = DenseStudent((32, 32), widths=(4, 6, 8), depths=(1, 2, 1), dimension=5).train()
    network(torch.randn(4, 3, 32, 32)).square().sum().backward()
    without = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    # The last bias comes after batch normalization and is reached; a convolution before one would have none.
    assert without == []


def test_size_of_the_starter_embedders():
    assert sum(value.numel() for value in DenseStudent((80, 80)).parameters()) == 1_585_456
