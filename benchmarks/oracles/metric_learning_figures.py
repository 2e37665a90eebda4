"""Losses and gradients of the package pytorch-metric-learning, for tests/training/metric_learning.json.

`python -m venv ORACLE && ORACLE/bin/pip install torch==2.13.0 pytorch-metric-learning==2.9.0`, then
`ORACLE/bin/python benchmarks/oracles/metric_learning_figures.py > tests/training/metric_learning.json`.
Everything is in float64; inputs have three decimals and stand in the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pytorch_metric_learning import distances, losses, miners, reducers

CLASSES, DIMENSION, BATCH = 5, 6, 12


def softmax_losses() -> dict[str, Any]:
    """Name -> loss module with a class weight `W` `(D, C)`."""
    size = {"num_classes": CLASSES, "embedding_size": DIMENSION}
    return {
        "normface_16": losses.NormalizedSoftmaxLoss(**size, temperature=1 / 16, distance=distances.CosineSimilarity()),
        "cosface_16_0.35": losses.CosFaceLoss(**size, margin=0.35, scale=16),
        "arcface_16_0.5": losses.ArcFaceLoss(**size, margin=float(np.degrees(0.5)), scale=16),
        "sphereface_16_4": UnitSphereFace(**size, margin=4, scale=16),
    }


class UnitSphereFace(losses.SphereFaceLoss):
    """SphereFace on normalized features: the package scales by their lengths."""

    def scale_logits(self, logits: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        """A fixed scale instead."""
        return logits * self.scale


def metric_losses() -> dict[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]]:
    """Name -> function of features and labels."""
    euclid = distances.LpDistance(normalize_embeddings=False)
    hard = miners.BatchHardMiner(distance=euclid)

    def triplet(mined: bool, **options: Any) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
        loss = losses.TripletMarginLoss(distance=euclid, **options)
        if mined:
            loss.reducer = reducers.MeanReducer()
        return lambda x, y: loss(x, y, hard(x, y) if mined else None)

    def contrastive(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        each = losses.ContrastiveLoss(neg_margin=4.0, distance=euclid, reducer=reducers.DoNothingReducer())(x, y)
        return (each["pos_loss"]["losses"].square().sum() + each["neg_loss"]["losses"].square().sum()) / (
            2 * (len(x) * (len(x) - 1))
        )

    return {
        "contrastive_4": contrastive,
        "batch_hard_0.3": triplet(True, margin=0.3),
        "batch_hard_soft": triplet(True, margin=0.0, smooth_loss=True),
        "batch_all_0.3": triplet(False, margin=0.3),
        "batch_all_soft": triplet(False, margin=0.0, smooth_loss=True),
        "circle_64_0.25": losses.CircleLoss(m=0.25, gamma=64),
    }


def main() -> None:
    """Print one JSON document."""
    generator = np.random.default_rng(7)
    weight = generator.normal(size=(CLASSES, DIMENSION)).round(3)
    labels = np.repeat(np.arange(4), 3)
    features = (weight[labels] * 0.8 + generator.normal(size=(BATCH, DIMENSION))).round(3)
    features[0] = -weight[labels[0]] * 0.9 + 0.01  # far on the other side: beyond 180 degrees with a margin
    document: dict[str, Any] = {
        "features": features.tolist(),
        "labels": labels.tolist(),
        "weight": weight.tolist(),
        "softmax": {},
        "metric": {},
    }
    y = torch.tensor(labels)
    for name, module in softmax_losses().items():
        x = torch.tensor(features, requires_grad=True)
        module.W = torch.nn.Parameter(torch.tensor(weight.T.copy()))
        loss = module(x, y)
        loss.backward()
        document["softmax"][name] = {
            "loss": loss.item(),
            "features": x.grad.tolist(),
            "weight": module.W.grad.T.tolist(),
        }
    for name, function in metric_losses().items():
        x = torch.tensor(features, requires_grad=True)
        loss = function(x, y)
        loss.backward()
        document["metric"][name] = {"loss": loss.item(), "features": x.grad.tolist()}
    print(json.dumps(document, separators=(",", ":")))


if __name__ == "__main__":
    main()
