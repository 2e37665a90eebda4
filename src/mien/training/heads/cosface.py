"""CosFace, also called AM-Softmax: a margin subtracted from the cosine."""

from __future__ import annotations

from torch import Tensor

from mien.training.heads.head import Head


class CosFace(Head):
    """The own class's value is `cosine - margin`.

    Wang et al., "CosFace: large margin cosine loss for deep face recognition", CVPR 2018; Wang, Cheng, Liu, Liu,
    "Additive margin softmax for face verification", SPL 2018.

    Args:
        scale: of the cosines.
        margin: in cosine.
    """

    def __init__(self, scale: float = 64.0, margin: float = 0.35) -> None:
        super().__init__(scale)
        self.margin = margin

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """`cosine - margin`, `(B,)`."""
        return cosine - self.margin
