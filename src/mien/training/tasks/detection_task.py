"""Training of a detector: `mien.training.networks.anchor_free_detector` on `DetectionPictures`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mien.training.data.input_format import InputFormat
from mien.training.data.loader import Batch
from mien.training.networks.anchor_free_detector import STRIDES, AnchorFreeDetector
from mien.training.tasks.detection_loss import detection_loss
from mien.training.tasks.detection_targets import cells


class Detection(nn.Module):
    """The task of a recipe whose network is a detector and whose data are `DetectionPictures`.

    Args:
        network: the detector.
        input_format: normalization of the pictures.
    """

    def __init__(self, network: AnchorFreeDetector, input_format: InputFormat) -> None:
        super().__init__()
        self.network = network
        self._input_format = input_format

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """The loss and its parts, scalars; see `mien.training.tasks.detection_loss.detection_loss`."""
        pictures = self._input_format.tensor(batch["image"])
        raw = torch.cat(self.network.raw(pictures), 1)
        height, width = pictures.shape[2:]
        places = cells(height, width, STRIDES, pictures.device)
        points = batch["landmarks"] if self.network.landmarks else None
        return detection_loss(raw, places, batch["boxes"], batch["kinds"], points)
