"""An exported file where a network is expected: what is measured is what will be used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.models.openvino_import import import_openvino

Arrays = Sequence[NDArray[np.float32]]


class ExportedNetwork(nn.Module):
    """An ONNX or OpenVINO file that answers as the network that it came from, on the CPU.

    Args:
        file: `.onnx`, or `.xml` with its `.bin` beside it.
        output_names: of a detector, in the network's order; None of an embedder, which gives one tensor.
    """

    def __init__(self, file: Path, output_names: Sequence[str] | None = None) -> None:
        super().__init__()
        self.output_names = output_names
        # Whoever runs a network asks its parameters where it lives.
        self.place = nn.Parameter(torch.zeros(()), requires_grad=False)
        core = import_openvino().Core()
        config = {"INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
        self._compiled = (core.compile_model(core.read_model(file), "CPU", config),)

    def forward(self, pictures: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The outputs for normalized pictures float32 `(B, 3, H, W)`."""
        (compiled,) = self._compiled
        found = compiled([pictures.contiguous().numpy()])
        if self.output_names is None:
            return torch.from_numpy(np.array(found[compiled.outputs[0]]))
        return tuple(torch.from_numpy(np.array(found[name])) for name in self.output_names)


@torch.inference_mode()
def parity(first: nn.Module, second: nn.Module, batches: Sequence[Tensor]) -> dict[str, float]:
    """How alike two networks answer.

    Args:
        first, second: in evaluation mode, with the same outputs.
        batches: normalized pictures, float32 `(B, 3, H, W)` each.

    Returns:
        `cosine_mean` and `cosine_least` over the pictures, a picture's outputs being taken as one vector (in float64).
    """
    cosines = torch.cat([_cosines(first(batch), second(batch)) for batch in batches])
    return {"cosine_mean": round(cosines.mean().item(), 6), "cosine_least": round(cosines.min().item(), 6)}


def _cosines(first: Any, second: Any) -> Tensor:
    return nn.functional.cosine_similarity(_vectors(first), _vectors(second))


def _vectors(outputs: Any) -> Tensor:
    parts = outputs if isinstance(outputs, tuple | list) else [outputs]
    return torch.cat([part.double().flatten(1) for part in parts], 1)
