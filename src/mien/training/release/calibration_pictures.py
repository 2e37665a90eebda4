"""Pictures by which the ranges of int8 are set: some of those that the network was trained on, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mien.errors import BadInputError
from mien.records import Image
from mien.training.data.pictures import PictureSource, resized
from mien.training.networks.anchor_free_detector import STRIDES
from mien.training.parts import build
from mien.training.recipe import Recipe

_PICTURES, _LARGE_PICTURES = 256, 32
"""Of an embedder; of a detector, whose maps all stay in memory until the ranges are found."""


def calibration_pictures(recipe: Recipe, *, is_detector: bool) -> list[Tensor]:
    """Normalized pictures, float32 `(1, 3, H, W)` each, evenly spaced over the recipe's training set.

    An embedder's pictures have its size. A detector's have the size at which it is used, the recipe's `data.long_side`,
    and are padded to squares, as ranges are found on pictures of one size only.

    Args:
        recipe: of the run; its reader must find the set.
        is_detector: which of both.

    Raises:
        BadInputError: `split_forbidden`: the set must not be trained on; `data_missing` and the reader's other errors;
            `recipe_value`: the data have no `source`.
    """
    source = _source(recipe)
    if source.forbidden is not None:
        raise BadInputError(f"data: this must not be calibrated on: {source.forbidden}", code="split_forbidden")
    count = _LARGE_PICTURES if is_detector else _PICTURES
    numbers = np.unique(np.linspace(0, len(source) - 1, min(count, len(source))).astype(int))
    found: list[Tensor] = []
    for number in numbers.tolist():
        try:
            image = source.picture(number)
        except BadInputError:  # the training skipped it, too
            continue
        if is_detector:
            image = _as_detected(image, recipe.data.get("long_side", 640))
        else:
            image = resized(image, (recipe.input.width, recipe.input.height))
        found.append(recipe.input.tensor(torch.from_numpy(np.ascontiguousarray(image[None]))))
    return found


def _source(recipe: Recipe) -> PictureSource:
    """The reader itself: what stands around it adds labels, which a teacher would have to be asked for."""
    table: Any = recipe.data.get("source")
    if not isinstance(table, Mapping):
        raise BadInputError(
            f"data ({recipe.data['class']}): has no source to take pictures from; int8 needs some", code="recipe_value"
        )
    while isinstance(table.get("source"), Mapping):
        table = table["source"]
    source: PictureSource = build(table, "data.source", input_format=recipe.input, seed=recipe.seed)
    return source


def _as_detected(image: Image, long_side: int) -> Image:
    scale = long_side / max(image.shape[:2])
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    side = long_side + -long_side % STRIDES[-1]
    padded = np.zeros((side, side, 3), np.uint8)
    padded[:height, :width] = resized(image, (width, height))
    return padded
