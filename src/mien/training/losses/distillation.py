"""How far a student's embeddings and maps are from its teacher's."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def cosine_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean of 1 - cosine between embeddings `(B, D)`: a scalar in [0, 2]."""
    return 1 - functional.cosine_similarity(student, teacher).mean()


def relational_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of the cosines that every two pictures of a batch have: a scalar in [0, 4].

    After Park et al., "Relational Knowledge Distillation", CVPR 2019, with the similarity that templates are compared
    by in place of distances and angles; the two embeddings may differ in length.

    Args:
        student: `(B, D)`, not necessarily normalized, B at least 2.
        teacher: `(B, E)`.
    """
    count = len(student)
    apart = ~torch.eye(count, dtype=torch.bool, device=student.device)
    difference = _cosines(student) - _cosines(teacher)
    return difference[apart].square().mean()


def hint_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of maps, in units of the teacher's variance: 1 is what a constant guess would score.

    Args:
        student: `(B, C, H, W)`.
        teacher: `(B, C, h, w)`; averaged or interpolated to the student's size.
    """
    if teacher.shape[2:] != student.shape[2:]:
        teacher = functional.interpolate(
            teacher, student.shape[2:], mode="bilinear", align_corners=False, antialias=True
        )
    return functional.mse_loss(student, teacher) / teacher.var().clamp_min(torch.finfo(torch.float32).tiny)


def _cosines(embeddings: Tensor) -> Tensor:
    unit = functional.normalize(embeddings, dim=1)
    return unit @ unit.mT
