"""Plain softmax over inner products and a bias."""

from __future__ import annotations

from mien.training.heads.head import Head


class Softmax(Head):
    """No normalization, no scale, no margin: logits are `weight @ feature + bias`."""

    normalized = False

    def __init__(self) -> None:
        super().__init__(scale=1.0)
