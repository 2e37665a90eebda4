"""ArcFace: a margin added to the angle."""

from __future__ import annotations

from torch import Tensor

from mien.training.heads.angles import cosine_plus_margin
from mien.training.heads.head import Head


class ArcFace(Head):
    """The own class's value is `cos(angle + margin)`.

    Deng, Guo, Xue, Zafeiriou, "ArcFace: additive angular margin loss for deep face recognition", CVPR 2019.

    Args:
        scale: of the cosines.
        margin: in radians; beyond 180 degrees the value goes on falling, see `angles.cosine_plus_margin`.
    """

    def __init__(self, scale: float = 64.0, margin: float = 0.5) -> None:
        super().__init__(scale)
        self.margin = margin

    def target(self, cosine: Tensor, norm: Tensor) -> Tensor:
        """`cos(angle + margin)`, `(B,)`."""
        return cosine_plus_margin(cosine, self.margin)
