"""Pictures of people whom nobody has named, and batches of those that a network takes for the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import get_worker_info

from mien.errors import BadInputError, UsageError
from mien.training.data.input_format import InputFormat
from mien.training.data.pictures import Augmentation, Pictures, PictureSource, Sample
from mien.training.data.samplers import Indices
from mien.training.losses.cluster_memory import NOBODY

Labeller = Callable[[int], NDArray[np.int64]]
"""Number of an epoch -> the cluster of each picture, int64 `(N,)`, -1 for those in none."""


class UnnamedPictures(Pictures):
    """As `Pictures`, the label `identity` hidden from whoever asks; every other label stays.

    Args:
        source, input_format, augmentation: as of `Pictures`.

    Attributes:
        labeller: set by the task; finds the clusters when an epoch begins.
    """

    def __init__(
        self, source: PictureSource, input_format: InputFormat, augmentation: Sequence[Augmentation] = ()
    ) -> None:
        super().__init__(source, input_format, augmentation)
        self.labels = {name: values for name, values in source.labels.items() if name != "identity"}
        self.labeller: Labeller | None = None

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """One picture with its labels.

        Raises:
            BadInputError: `data_corrupt`.
            UsageError: `clusters_forked`: asked in a process of the loader, which works ahead of the epoch's end.
        """
        if get_worker_info() is not None:
            raise UsageError(
                "clusters are found between two epochs, and a loader's processes work ahead; set loop.workers to 0",
                code="clusters_forked",
            )
        return super().sample(index, random)


class ClusterSampler:
    """P clusters with K pictures each, found anew for each epoch by the task; clusters come equally often.

    Args:
        data: the pictures.
        seed: of the order.
        clusters: P, at least 2; where fewer are found, some come twice.
        pictures: K, at least 2.
        batches: steps an epoch; 0 shows as many pictures as the set has.

    Raises:
        BadInputError: `recipe_value`.
    """

    def __init__(
        self, data: UnnamedPictures, seed: int, clusters: int = 16, pictures: int = 4, batches: int = 0
    ) -> None:
        if clusters < 2 or pictures < 2:
            raise BadInputError(
                f"sampler: clusters = {clusters}, pictures = {pictures}; both must be at least 2", code="recipe_value"
            )
        self.batch = clusters * pictures
        self.batches = batches or max(1, len(data) // self.batch)
        self._data, self._seed, self._clusters, self._pictures = data, seed, clusters, pictures

    def epoch(self, number: int) -> Indices:
        """See `mien.training.data.samplers.Sampler.epoch`; the clusters are those of this epoch's beginning.

        Raises:
            UsageError: `clusters_missing`: the task finds no clusters.
        """
        if self._data.labeller is None:
            raise UsageError(
                "sampler: nobody finds clusters; task.class must be mien.training.tasks.cluster_memory.ClusterMemory",
                code="clusters_missing",
            )
        label = self._data.labeller(number)
        members = [np.flatnonzero(label == cluster) for cluster in range(int(label.max(initial=NOBODY)) + 1)]
        random = np.random.default_rng([self._seed, number])
        wanted = self.batches * self._clusters
        turns = -(-wanted // len(members))
        deck = np.concatenate([random.permutation(len(members)) for _ in range(turns)])[:wanted]
        rows = [_drawn(members[cluster], self._pictures, random) for cluster in deck]
        return np.concatenate(rows).reshape(self.batches, self.batch).astype(np.int64)


def _drawn(members: NDArray[np.intp], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Different pictures where there are enough."""
    turns = -(-count // len(members))
    return np.concatenate([random.permutation(members) for _ in range(turns)])[:count]
