"""Where a network looks: the energy of its last maps, drawn over the pictures.

Zagoruyko & Komodakis, "Paying More Attention to Attention", ICLR 2017: the sum over the channels of the squared
activations. Two things are added, without which the maps of published networks show corners that say nothing:

- Where a network pools with a learned weight for each place (the global depthwise convolution of MobileFaceNet and its
  kin), what counts is what is pooled: the activations times those weights.
- What is the same in every picture tells nobody apart and is taken away first. (The two upper corners of
  person-reidentification-retail-0277 have fifty times the energy of any other place, and the same in every picture.)
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.drawing.contact_sheet import Tile, contact_sheet
from mien.errors import BadInputError
from mien.media.image import read, write
from mien.models import store
from mien.models.catalogue import Model
from mien.models.openvino_import import import_openvino
from mien.models.runtime import normalize
from mien.records import Float32, Image

SHOWN = 20
"""Pictures on a sheet, each followed by itself under its map."""
_COLUMNS, _HEIGHT = 10, 160
_COVER = 0.55
"""Share of the colours over the picture."""


class AttentionMaps:
    """Attention of an embedder of the catalogue; on the CPU, with OpenVINO.

    Args:
        entry: the model, which takes pictures of one size.

    Attributes:
        size: height and width in pixels of the pictures that it takes.

    Raises:
        BadInputError: `no_maps`: nothing in its graph has a height and a width.
        MissingError: as of `mien.models.store.read`.
    """

    def __init__(self, entry: Model) -> None:
        if entry.input.size is None:
            raise BadInputError(f"{entry.name} takes pictures of any size; give an embedder", code="no_maps")
        self.size, self._takes = entry.input.size, entry.input
        core = import_openvino().Core()
        files = {Path(file).suffix: content for file, content in store.read(entry).items()}
        graph = core.read_model(*[files[suffix] for suffix in (".xml", ".bin", ".onnx") if suffix in files])
        graph.reshape([-1, 3, *self.size])
        graph.add_results([_pooled(_last_maps(graph, entry.name))])
        config = {"INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
        self._compiled = core.compile_model(graph, "CPU", config)

    def __call__(self, images: Sequence[Image]) -> Float32:
        """Attention of pictures together, at least two, so that it is known what they share.

        Args:
            images: RGB uint8 `(H, W, 3)` each, of any sizes.

        Returns:
            float32 `(B, h, w)` in [0, 1], the largest of each picture being 1 (all 0 of pictures that are the same).
        """
        height, width = self.size
        fitting = [cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR) for image in images]
        found = self._compiled([normalize(np.stack(fitting).astype(np.uint8, copy=False), self._takes)])
        maps = np.asarray(found[self._compiled.outputs[-1]], np.float32)
        energy = np.square(maps - maps.mean(0)).sum(1)
        return energy / np.maximum(energy.max((1, 2), keepdims=True), np.finfo(np.float32).tiny)


def overlaid(image: Image, attention: Float32) -> Image:
    """A picture under its attention.

    Args:
        image: RGB uint8 `(H, W, 3)`.
        attention: float32 `(h, w)` in [0, 1].

    Returns:
        RGB uint8 `(H, W, 3)`: dark blue where nothing is looked at, dark red where most is.
    """
    height, width = image.shape[:2]
    share = np.clip(cv2.resize(attention, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    colours = cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_JET)[..., ::-1]
    return np.asarray(cv2.addWeighted(colours, _COVER, image, 1 - _COVER, 0))


def write_attention(folder: Path, attend: AttentionMaps, pictures: Sequence[Path]) -> Path:
    """Draws `attention.png`: pictures evenly spaced over all, each followed by itself under its map.

    Args:
        folder: exists.
        attend: loaded and ready.
        pictures: at least one, each showing one person from edge to edge.

    Returns:
        The sheet.
    """
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(SHOWN, len(pictures))).astype(int))
    images = [_enlarged(read(pictures[number])) for number in chosen]
    tiles = []
    for number, image, attention in zip(chosen, images, attend(images), strict=True):
        tiles += [Tile(image, pictures[number].stem), Tile(overlaid(image, attention))]
    sheet = folder / "attention.png"
    write(sheet, contact_sheet(tiles, columns=_COLUMNS))
    return sheet


def _enlarged(image: Image) -> Image:
    """To a tile's height, so that the map is drawn finer than the picture's pixels."""
    width = max(1, round(image.shape[1] * _HEIGHT / image.shape[0]))
    return np.asarray(cv2.resize(image, (width, _HEIGHT), interpolation=cv2.INTER_CUBIC))


def _last_maps(graph: Any, name: str) -> Any:
    """The output nearest to the graph's end that still has a height and a width."""
    for operation in reversed(graph.get_ordered_ops()):
        for output in operation.outputs():
            is_computed = operation.get_type_name() not in ("Result", "Parameter", "Constant")
            if is_computed and output.get_partial_shape().rank.is_static:
                lengths = _lengths(output)
                if len(lengths) == 4 and lengths[1] > 1 and min(lengths[2:]) > 1:
                    return output
    raise BadInputError(f"{name}: nothing in its graph has a height and a width; give another model", code="no_maps")


def _pooled(maps: Any) -> Any:
    """The maps, times the weights that they are pooled with where there are any, as a result of the graph."""
    operations = importlib.import_module("openvino.opset13")
    for target in maps.get_target_inputs():
        node = target.get_node()
        if node.get_type_name() == "GroupConvolution" and _lengths(node.output(0))[2:] == [1, 1]:
            weights = operations.reshape(node.input_value(1), np.array([1, *_lengths(maps)[1:]]), special_zero=False)
            return operations.result(operations.multiply(maps, weights))
    return operations.result(maps)


def _lengths(output: Any) -> list[int]:
    """Sides of an output's shape, 0 where they are open."""
    return [side.get_length() if side.is_static else 0 for side in output.get_partial_shape()]
