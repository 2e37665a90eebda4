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


def test_a_smaller_picture_of_the_same_scene_gives_a_similar_embedding():
    torch.manual_seed(0)
    network = DenseStudent((96, 96), widths=(8, 12, 16), depths=(1, 1, 1), dimension=24)
    smooth = torch.nn.functional.interpolate(torch.randn(4, 3, 6, 6), (96, 96), mode="bicubic")
    network.train()(smooth)  # batch statistics once, so that the evaluation is not at their starting values
    network.eval()
    small = torch.nn.functional.interpolate(smooth, (64, 64), mode="bilinear", antialias=True)
    with torch.no_grad():
        same = torch.nn.functional.cosine_similarity(network(smooth), network(small))
        other = torch.nn.functional.cosine_similarity(network(smooth), network(small).roll(1, 0))
    assert (same > other).all()


def test_every_parameter_gets_a_gradient():
    network = DenseStudent((32, 32), widths=(4, 6, 8), depths=(1, 2, 1), dimension=5).train()
    network(torch.randn(4, 3, 32, 32)).square().sum().backward()
    without = [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    # The last bias comes after batch normalization and is reached; a convolution before one would have none.
    assert without == []


def test_size_of_the_starter_embedders():
    assert sum(value.numel() for value in DenseStudent((96, 96)).parameters()) == 1_591_088
