"""What a network sees: the size of its pictures and how their values become its numbers."""

from __future__ import annotations

import torch
from pydantic import BaseModel, ConfigDict, Field


class InputFormat(BaseModel):
    """Size and normalization of a network's input; the recipe's table `[input]`, and later the model card's.

    Attributes:
        height, width: pixels.
        mean, std: of red, green and blue, in values of 0 to 255; the default gives -1 to 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    height: int = Field(ge=8, le=8192, strict=True)
    width: int = Field(ge=8, le=8192, strict=True)
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)

    def tensor(self, images: torch.Tensor) -> torch.Tensor:
        """RGB uint8 `(B, H, W, 3)` as float32 `(B, 3, H, W)`, normalized, on the same device.

        The channels stay innermost in memory.
        """
        mean = torch.tensor(self.mean, device=images.device)
        std = torch.tensor(self.std, device=images.device)
        return ((images.float() - mean) / std).permute(0, 3, 1, 2)
