"""NormFace: softmax over scaled cosines."""

from __future__ import annotations

from mien.training.heads.head import Head


class NormFace(Head):
    """Features and class weights on the unit sphere, a fixed scale, no margin.

    Wang, Xiang, Cheng, Yuille, "NormFace: L2 hypersphere embedding for face verification", ACM MM 2017. Without the
    scale the softmax of values in [-1, 1] cannot reach a small loss (its proposition 2).

    Args:
        scale: of the cosines.
    """

    def __init__(self, scale: float = 64.0) -> None:
        super().__init__(scale)
