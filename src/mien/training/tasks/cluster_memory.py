"""Learning to tell people apart whom nobody has named: pseudo-labels anew each epoch, a memory of the clusters.

Dai et al., "Cluster Contrast for Unsupervised Person Re-Identification", ACCV 2022. The same recipe brings a network
to a new site: let the recipe's `start_from` name the weights that it has, and the reader the site's own pictures.

A network that has learned nothing yet clusters badly. In the first epochs the clusters can come from the colours of the
clothes instead (`mien.training.tasks.colour_stripes`), which ask for no training at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import BadInputError, UsageError
from mien.records import Float32, Image
from mien.training.data.input_format import InputFormat
from mien.training.data.loader import Batch
from mien.training.losses.cluster_memory import NOBODY, centroids, cluster_contrast, remember
from mien.training.tasks.cluster_memory_data import UnnamedPictures
from mien.training.tasks.colour_stripes import colour_stripes
from mien.training.tasks.pseudo_labels import pseudo_labels

_AT_ONCE = 64


class ClusterMemory(nn.Module):
    """The task of a recipe whose data are `UnnamedPictures` and whose sampler is a `ClusterSampler`.

    Clusters and memory are part of the checkpoints, so that a run can be taken up in the middle of an epoch.

    Args:
        network: an embedder with one feature.
        data: the pictures.
        input_format: makes pictures the network's input.
        radius, least, neighbours: of the clusters, see `mien.training.tasks.pseudo_labels`.
        temperature, momentum: of loss and memory, see `mien.training.losses.cluster_memory`.
        colour_epochs: epochs in the beginning that take their clusters from colours; 0 where the network knows
            something already.
        per_camera: take each camera's own mean from the features before they are clustered, where the set has the
            label `camera`: what all pictures of a camera share is the camera.

    Raises:
        UsageError: `ranks_unsupported`: several processes.
        BadInputError: `recipe_value`: the data are of another class.
    """

    labels: Tensor
    memory: Tensor
    clusters: Tensor
    labelled_epoch: Tensor

    def __init__(
        self,
        network: nn.Module,
        data: UnnamedPictures,
        input_format: InputFormat,
        radius: float = 0.5,
        least: int = 4,
        neighbours: int = 20,
        temperature: float = 0.05,
        momentum: float = 0.1,
        colour_epochs: int = 0,
        per_camera: bool = False,
    ) -> None:
        super().__init__()
        if torch.distributed.is_initialized() and torch.distributed.get_world_size() > 1:
            raise UsageError(
                "task: a cluster memory is kept by one process; do not use torchrun", code="ranks_unsupported"
            )
        if not isinstance(data, UnnamedPictures):
            raise BadInputError(
                f"task: the data are {type(data).__name__}, whose clusters nobody can set; let data.class be "
                "mien.training.tasks.cluster_memory_data.UnnamedPictures",
                code="recipe_value",
            )
        self.network, self.input_format = network, input_format
        self.radius, self.least, self.neighbours = radius, least, neighbours
        self.temperature, self.momentum = temperature, momentum
        self.colour_epochs, self.per_camera = colour_epochs, per_camera
        dimension: int = network.dimension  # type: ignore[assignment]
        self.register_buffer("labels", torch.full((len(data),), NOBODY))
        self.register_buffer("memory", torch.zeros(max(1, len(data) // 2), dimension))
        self.register_buffer("clusters", torch.tensor(0))
        self.register_buffer("labelled_epoch", torch.tensor(-1))
        self._data = (data,)
        data.labeller = self.label

    def label(self, epoch: int) -> NDArray[np.int64]:
        """The cluster of each picture in an epoch, int64 `(N,)`: found now, or what was found when it began.

        Raises:
            BadInputError: `no_clusters`: fewer than two.
        """
        if int(self.labelled_epoch) != epoch:
            features = self._described(self._features)
            described = self._colours if epoch < self.colour_epochs else features
            found = pseudo_labels(
                self._centred(described), radius=self.radius, least=self.least, neighbours=self.neighbours
            )
            count = int(found.max(initial=NOBODY)) + 1
            if count < 2:
                raise BadInputError(
                    f"epoch {epoch + 1}: {len(found)} pictures fall into {count} cluster{'s' * (count != 1)}; "
                    f"{'lower' if count else 'raise'} task.radius (it is {self.radius}), start from a network that "
                    "knows more (start_from) or from colours (task.colour_epochs)",
                    code="no_clusters",
                )
            device = self.memory.device
            self.labels.copy_(torch.from_numpy(found))
            known = torch.from_numpy(features).to(device)
            self.memory[:count] = centroids(known, self.labels, count)
            self.clusters.fill_(count)
            self.labelled_epoch.fill_(epoch)
        return self.labels.cpu().numpy()

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """The loss of a batch `image` uint8 `(B, H, W, 3)`, `index` int64 `(B,)`; also `accuracy`, the share of
        pictures whose nearest remembered cluster is their own, `clusters`, and `clustered`, the share of all pictures
        that are in one."""
        cluster = self.labels[batch["index"]]
        memory = self.memory[: int(self.clusters)]
        features = self.network(self.input_format.tensor(batch["image"])).float()
        # A copy, because the gradient needs it as it was, and the memory moves before that is asked for.
        loss = cluster_contrast(features, memory.clone(), cluster, self.temperature)
        nearest = (features.detach() @ memory.T).argmax(1)
        remember(memory, features.detach(), cluster, self.momentum)
        return {
            "loss": loss,
            "accuracy": (nearest == cluster).float().mean(),
            "clusters": self.clusters.float(),
            "clustered": (self.labels != NOBODY).float().mean(),
        }

    @cached_property
    def _colours(self) -> Float32:
        return self._described(lambda images: np.stack([colour_stripes(image) for image in images]))

    def _described(self, describe: Callable[[list[Image]], Float32]) -> Float32:
        (data,) = self._data
        starts = range(0, len(data), _AT_ONCE)
        blocks = [range(start, min(start + _AT_ONCE, len(data))) for start in starts]
        return np.concatenate([describe([data.plain(number) for number in block]) for block in blocks])

    @torch.no_grad()
    def _features(self, images: list[Image]) -> Float32:
        was_training = self.network.training
        self.network.eval()
        pictures = self.input_format.tensor(torch.from_numpy(np.stack(images)).to(self.memory.device))
        features = functional.normalize(self.network(pictures).float())
        self.network.train(was_training)
        return features.cpu().numpy()

    def _centred(self, vectors: Float32) -> Float32:
        (data,) = self._data
        camera = data.labels.get("camera")
        if not self.per_camera or camera is None:
            return vectors
        centred = vectors.copy()
        for number in np.unique(camera):
            centred[camera == number] -= vectors[camera == number].mean(0)
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        return (centred / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
