"""Learning an embedding of faces from very many people: a margin softmax over all of them."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from mien.errors import BadInputError
from mien.training.data.input_format import InputFormat
from mien.training.data.loader import Batch
from mien.training.data.pictures import Samples
from mien.training.heads.classifier import Classifier
from mien.training.heads.head import Head
from mien.training.sharded.sharded_classifier import ShardedClassifier


class Recognition(nn.Module):
    """The task of a recipe for face recognition.

    Args:
        network: an embedder; see `mien.training.networks`.
        data: the samples, with the label `identity`.
        input_format: makes pictures the network's input.
        seed: of a sharded classifier's weights.
        head: the margin, e.g. `mien.training.heads.cosface.CosFace`.
        sharded: split the classifier over the ranks by class.
        rate: share of the classes drawn for each step (partial FC), below 1 only where it is sharded; the recipe's
            optimizer must then be `mien.training.loop.optimizers.sgd`.

    Raises:
        BadInputError: `data_unlabelled`; `recipe_value`: a rate below 1 without sharding.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Samples,
        input_format: InputFormat,
        seed: int,
        head: Head,
        sharded: bool = False,
        rate: float = 1.0,
    ) -> None:
        super().__init__()
        if "identity" not in data.labels:
            raise BadInputError("task: the set has no identities to tell apart", code="data_unlabelled")
        if not 0 < rate <= 1 or (rate < 1 and not sharded):
            raise BadInputError(
                f"task.rate = {rate}; it must lie in (0, 1], and below 1 needs sharded = true", code="recipe_value"
            )
        identities = int(data.labels["identity"].max()) + 1
        embedder: Any = network
        self.network, self.input_format = network, input_format
        self.classifier: nn.Module = (
            ShardedClassifier(embedder.dimension, identities, head, rate=rate, seed=seed, averaged=True)
            if sharded
            else Classifier(embedder.dimension, identities, head)
        )

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """The loss of a batch `image` uint8 `(B, H, W, 3)`, `identity` int64 `(B,)`; also `accuracy` of a classifier
        that is not sharded: the share of right first guesses, margins included."""
        features = self.network(self.input_format.tensor(batch["image"]))
        identity = batch["identity"]
        if isinstance(self.classifier, ShardedClassifier):
            return {"loss": self.classifier(features, identity)}
        logits = self.classifier(features, identity)
        accuracy = (logits.argmax(1) == identity).float().mean()
        return {"loss": functional.cross_entropy(logits, identity), "accuracy": accuracy}
