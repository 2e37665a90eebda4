"""Learning who is who: a softmax over the training identities and a triplet loss, on one network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import BadInputError
from mien.training.data.input_format import InputFormat
from mien.training.data.loader import Batch
from mien.training.data.pictures import Samples
from mien.training.losses.triplet import batch_hard
from mien.training.networks.branches import Branches


class Identification(nn.Module):
    """Softmax with label smoothing and, where pictures of one identity come together, a batch-hard triplet loss.

    Each feature to be classified passes a batch normalization without shift first (Luo et al., "Bag of tricks and a
    strong baseline for deep person re-identification", 2019), so that the triplet loss may have its own scale.

    Args:
        network: an embedder, or one with several losses; see `mien.training.networks`.
        data: the samples, with the label `identity`.
        input_format: makes pictures the network's input.
        smoothing: share of the target that is spread over all identities.
        triplet: weight of the triplet loss; 0 leaves it out.
        neck: put the batch normalization before the classifier.

    Raises:
        BadInputError: `data_unlabelled`; `data_too_few`: fewer than two identities.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Samples,
        input_format: InputFormat,
        smoothing: float = 0.1,
        triplet: float = 1.0,
        neck: bool = True,
    ) -> None:
        super().__init__()
        if "identity" not in data.labels:
            raise BadInputError("task: the set has no identities to tell apart", code="data_unlabelled")
        identities = int(data.labels["identity"].max()) + 1
        if identities < 2:
            raise BadInputError("task: the set has one identity; at least two are needed", code="data_too_few")
        self.network, self.input_format = network, input_format
        self.smoothing, self.triplet = smoothing, triplet
        self.classifiers = nn.ModuleList(_classifier(width, identities, neck) for width in _widths(network))

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """The losses of a batch `image` uint8 `(B, H, W, 3)`, `identity` int64 `(B,)`.

        Returns:
            `loss`, `softmax`, `triplet` (where it has weight) and `accuracy`, the share of right first guesses.
        """
        features = self.network(self.input_format.tensor(batch["image"]))
        if not isinstance(features, Branches):
            features = Branches(metric=(features,), classified=(features,))
        identity = batch["identity"]
        logits = [layer(feature) for layer, feature in zip(self.classifiers, features.classified, strict=True)]
        each = [functional.cross_entropy(scores.float(), identity, label_smoothing=self.smoothing) for scores in logits]
        softmax = torch.stack(each).mean()
        figures = {"softmax": softmax, "accuracy": (logits[0].argmax(1) == identity).float().mean()}
        loss = softmax
        if self.triplet and features.metric:
            each = [batch_hard(feature.float(), identity, margin=None) for feature in features.metric]
            figures["triplet"] = torch.stack(each).mean()
            loss = loss + self.triplet * figures["triplet"]
        return {"loss": loss, **figures}


def _widths(network: Any) -> tuple[int, ...]:
    """Widths of the features to be classified; networks with one loss have only their dimension."""
    return getattr(network, "classified_dimensions", (network.dimension,))


def _classifier(dimension: int, identities: int, neck: bool) -> nn.Module:
    layer = nn.Linear(dimension, identities, bias=False)
    nn.init.normal_(layer.weight, std=0.01)
    layer.is_classifier = True  # type: ignore[assignment]  # Muon leaves it alone
    if not neck:
        return layer
    norm = nn.BatchNorm1d(dimension)
    norm.bias.requires_grad_(False)
    return nn.Sequential(norm, layer)
