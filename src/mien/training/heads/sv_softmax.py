"""Support-vector guided softmax: wrongly ranked classes are emphasised, the others are not."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.errors import UsageError
from mien.training.heads.angles import cosine_plus_margin
from mien.training.heads.head import Head


class SVSoftmax(Head):
    """Classes that come closer than the own one count `exp(scale * (emphasis - 1) * (cosine + 1))` times.

    Wang, Wang, Shi, Fu, Mei, "Support vector guided softmax loss for face recognition", arXiv 1812.11317:
    as a logit, `cosine` becomes `emphasis * cosine + emphasis - 1` where `target < cosine`. An emphasis of 1 is
    NormFace (or the margin form's own softmax).

    Args:
        scale: of the cosines.
        emphasis: the paper's t, at least 1.
    """

    def __init__(self, scale: float = 64.0, emphasis: float = 1.2) -> None:
        super().__init__(scale)
        if not emphasis >= 1:
            raise UsageError(f"the emphasis of hard classes must be at least 1, not {emphasis}", code="bad_emphasis")
        self.emphasis = emphasis

    def others(self, cosine: Tensor, target: Tensor) -> Tensor:
        """`emphasis * cosine + emphasis - 1` where the class is closer than the own one, as `cosine`."""
        return torch.where(cosine > target, self.emphasis * cosine + (self.emphasis - 1), cosine)


class SVAMSoftmax(SVSoftmax):
    """SV-Softmax whose own class has CosFace's margin, also where classes are told to be hard; same paper.

    Args:
        scale: of the cosines.
        emphasis: as in `SVSoftmax`.
        margin: in cosine.
    """

    def __init__(self, scale: float = 64.0, emphasis: float = 1.2, margin: float = 0.35) -> None:
        super().__init__(scale, emphasis)
        self.margin = margin

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """`cosine - margin`, `(B,)`."""
        return cosine - self.margin


class SVArcSoftmax(SVSoftmax):
    """SV-Softmax whose own class has ArcFace's margin, also where classes are told to be hard; same paper.

    Args:
        scale: of the cosines.
        emphasis: as in `SVSoftmax`.
        margin: in radians.
    """

    def __init__(self, scale: float = 64.0, emphasis: float = 1.2, margin: float = 0.5) -> None:
        super().__init__(scale, emphasis)
        self.margin = margin

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """`cos(angle + margin)`, `(B,)`."""
        return cosine_plus_margin(cosine, self.margin)
