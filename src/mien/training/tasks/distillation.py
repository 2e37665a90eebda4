"""A student learns a teacher's embedding from pictures; labels help where there are some, and are not needed.

The loss is 1 - cosine to the teacher's embedding, plus a relational term (the cosines between the pictures of a batch
shall be the teacher's), plus hints from inside the teacher that fade out, plus, with labels, the identities' own
cross-entropy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from mien.errors import BadInputError
from mien.training.data.input_format import InputFormat
from mien.training.data.lessons import Lessons
from mien.training.data.loader import Batch
from mien.training.losses.distillation import cosine_distance, hint_distance, relational_distance


class Student(Protocol):
    """What is asked of the network: an embedder that also shows its maps, coarser ones last."""

    dimension: int
    map_widths: Sequence[int]

    def features(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Embeddings `(B, dimension)`, then one map `(B, C, H, W)` for each of `map_widths`."""
        ...


class Distillation(nn.Module):
    """The task of a recipe whose data are `Lessons`.

    Args:
        network: the student.
        data: the lessons; each of their hints is compared with the student's map of the same place, the student's
            maps first going through a 1x1 convolution that is not kept.
        input_format: normalization of the pictures.
        relational: weight of the relational term.
        hint: weight of the hints at the start.
        hint_until: share of the run after which the hints have faded out, in (0, 1].
        identity: weight of the cross-entropy over the lessons' identities; 0 without labels.
        label_smoothing: of that cross-entropy, in [0, 1).

    Raises:
        BadInputError: `student_misfit`: the student's dimension is not the teacher's, or it shows fewer maps than the
            teacher gives hints; `data_unlabelled`: identity is asked for and there are no labels.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Lessons,
        input_format: InputFormat,
        relational: float = 20.0,
        hint: float = 1.0,
        hint_until: float = 0.5,
        identity: float = 0.0,
        label_smoothing: float = 0.1,
    ) -> None:
        super().__init__()
        student: Student = network  # type: ignore[assignment]
        _check(student, data)
        self.network = network
        self.adapters = nn.ModuleList(
            nn.Conv2d(mine, theirs, 1) for mine, theirs in zip(student.map_widths, data.hint_widths, strict=False)
        )
        self.relational, self.hint, self.hint_until = relational, hint, hint_until
        self.identity, self.label_smoothing = identity, label_smoothing
        self.classifier: nn.Module | None = None
        if identity:
            self.classifier = _classifier(student.dimension, data)
        self._input_format = input_format

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """The loss and its parts, scalars, of a batch of lessons `progress` of the way through the run."""
        pictures = self._input_format.tensor(batch["image"])
        embeddings, *maps = self.network.features(pictures)  # type: ignore[operator]
        taught = batch["embedding"].float()
        figures = {
            "cosine": cosine_distance(embeddings, taught),
            "relational": relational_distance(embeddings, taught),
        }
        loss = figures["cosine"] + self.relational * figures["relational"]
        if self.adapters:
            hints = [
                hint_distance(adapter(mine), batch[f"hint_{place}"].float())
                for place, (adapter, mine) in enumerate(zip(self.adapters, maps, strict=False))
            ]
            # Kept at weight 0 when it has faded out: processes that train together want every parameter each step.
            figures["hint"] = max(0.0, 1 - progress / self.hint_until) * torch.stack(hints).mean()
            loss = loss + self.hint * figures["hint"]
        if self.classifier is not None:
            logits = self.classifier(embeddings)
            figures["identity"] = functional.cross_entropy(
                logits, batch["identity"], label_smoothing=self.label_smoothing
            )
            loss = loss + self.identity * figures["identity"]
        return {"loss": loss, **figures}


def _classifier(dimension: int, data: Lessons) -> nn.Module:
    if "identity" not in data.labels:
        raise BadInputError(
            "task.identity: the pictures carry no identities; set it to 0, or take a set with identities",
            code="data_unlabelled",
        )
    linear = nn.Linear(dimension, int(data.labels["identity"].max()) + 1, bias=False)
    nn.init.normal_(linear.weight, std=0.01)
    # The neck of Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPRW 2019:
    # classes are told apart on standardized features, distances are those before it.
    classifier = nn.Sequential(nn.BatchNorm1d(dimension), linear)
    classifier.is_classifier = True  # type: ignore[assignment]
    return classifier


def _check(student: Student, data: Lessons) -> None:
    if student.dimension != data.dimension:
        raise BadInputError(
            f"network.dimension = {student.dimension}, but the teacher's embeddings have {data.dimension}; "
            f"set it to {data.dimension}",
            code="student_misfit",
        )
    if len(data.hint_widths) > len(student.map_widths):
        raise BadInputError(
            f"data.teacher.hints names {len(data.hint_widths)} maps, the student shows {len(student.map_widths)}; "
            "name fewer",
            code="student_misfit",
        )
