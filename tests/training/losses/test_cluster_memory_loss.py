"""The loss and the memory of cluster contrast against plain float64 loops."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.training.losses.cluster_memory import NOBODY, centroids, cluster_contrast, remember  # noqa: E402

CLUSTER = np.array([2, 0, NOBODY, 2, 1, 0])
TEMPERATURE = 0.07


@pytest.fixture
def arrays():
    random = np.random.default_rng(4)
    memory = random.normal(size=(3, 5))
    return random.normal(size=(6, 5)) * 3, memory / np.linalg.norm(memory, axis=1, keepdims=True)


def reference_loss(features, memory):
    losses = []
    for feature, cluster in zip(features, CLUSTER, strict=True):
        if cluster != NOBODY:
            logits = memory @ (feature / np.linalg.norm(feature)) / TEMPERATURE
            losses.append(np.log(np.exp(logits - logits.max()).sum()) + logits.max() - logits[cluster])
    return float(np.mean(losses))


def test_the_loss_and_its_gradient_are_the_references(arrays):
    features, memory = arrays
    given = torch.tensor(features, requires_grad=True)
    remembered = torch.tensor(memory, requires_grad=True)
    loss = cluster_contrast(given, remembered, torch.tensor(CLUSTER), TEMPERATURE)
    assert loss.item() == pytest.approx(reference_loss(features, memory), rel=1e-12)
    loss.backward()
    assert remembered.grad is None
    step = 1e-6
    for place in np.ndindex(*features.shape):
        moved = [features.copy() for _ in range(2)]
        moved[0][place] += step
        moved[1][place] -= step
        slope = (reference_loss(moved[0], memory) - reference_loss(moved[1], memory)) / (2 * step)
        assert given.grad[place].item() == pytest.approx(slope, abs=1e-8)


def test_pictures_in_no_cluster_teach_nothing():
    features = torch.randn(2, 4, requires_grad=True)
    loss = cluster_contrast(features, torch.eye(4)[:2], torch.tensor([NOBODY, NOBODY]))
    loss.backward()
    assert loss.item() == 0
    assert not features.grad.any()


def test_the_memory_moves_as_in_a_loop_over_the_pictures(arrays):
    features, memory = arrays
    expected = memory.copy()
    for feature, cluster in zip(features, CLUSTER, strict=True):
        if cluster != NOBODY:
            mixed = 0.2 * expected[cluster] + 0.8 * feature / np.linalg.norm(feature)
            expected[cluster] = mixed / np.linalg.norm(mixed)
    moved = torch.tensor(memory)
    remember(moved, torch.tensor(features), torch.tensor(CLUSTER), momentum=0.2)
    np.testing.assert_allclose(moved.numpy(), expected, rtol=1e-12)
    remember(moved, torch.tensor(features), torch.tensor(CLUSTER), momentum=1.0)
    np.testing.assert_allclose(moved.numpy(), expected, rtol=1e-12)


def test_centroids_are_normalized_means(arrays):
    features = arrays[0] / np.linalg.norm(arrays[0], axis=1, keepdims=True)
    found = centroids(torch.tensor(features), torch.tensor(CLUSTER), 3).numpy()
    for cluster in range(3):
        mean = features[cluster == CLUSTER].mean(0)
        np.testing.assert_allclose(found[cluster], mean / np.linalg.norm(mean), rtol=1e-12)
