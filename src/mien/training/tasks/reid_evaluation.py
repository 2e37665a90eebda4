"""ReID figures of a network while and after it is trained, beside those of colours alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from mien.evaluation.reid.figures import cosine_distances, rankings, reid_figures
from mien.evaluation.reid.names import Sightings
from mien.records import Float32, Image
from mien.training.data.input_format import InputFormat
from mien.training.data.pictures import PictureFiles, resized
from mien.training.tasks.colour_stripes import colour_stripes

_AT_ONCE = 64


class ReidEvaluation:
    """Looks for people on other cameras than the query's, by the rules of Market-1501.

    Args:
        gallery: pictures with the labels `identity` and `camera`, of people whom the network was not trained on.
        input_format: what the network sees.
        query: pictures that look; where left out, each of the gallery looks among all others.
        flip: add the feature of the mirrored picture.
    """

    def __init__(
        self, gallery: PictureFiles, input_format: InputFormat, query: PictureFiles | None = None, flip: bool = True
    ) -> None:
        self.gallery, self.query = gallery, query or gallery
        self.input_format, self.flip = input_format, flip
        self._colour: dict[str, float] | None = None

    def __call__(self, network: nn.Module) -> dict[str, float]:
        """`map`, `rank1`, `rank5` and `minp` of the network; `colour_map` and `colour_rank1` of HSV histograms in
        stripes on the same pictures; `times_colour`, the network's mAP by that of the histograms."""
        device = next(network.parameters()).device
        ours = self._figures(lambda images: self._features(network, images, device))
        if self._colour is None:
            self._colour = self._figures(lambda images: np.stack([colour_stripes(image) for image in images]))
        colour = {f"colour_{name}": self._colour[name] for name in ("map", "rank1")}
        times = round(ours["map"] / max(self._colour["map"], 1e-9), 3)
        return {name: ours[name] for name in ("map", "rank1", "rank5", "minp")} | colour | {"times_colour": times}

    def _figures(self, describe: Callable[[list[Image]], Float32]) -> dict[str, float]:
        gallery = self._described(self.gallery, describe)
        query = gallery if self.query is self.gallery else self._described(self.query, describe)
        found = rankings(cosine_distances(query, gallery), _sightings(self.query), _sightings(self.gallery))
        return reid_figures(found)

    def _described(self, source: PictureFiles, describe: Callable[[list[Image]], Float32]) -> Float32:
        size = (self.input_format.width, self.input_format.height)
        blocks = []
        for start in range(0, len(source), _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, len(source)))
            blocks.append(describe([resized(source.picture(number), size) for number in numbers]))
        return np.concatenate(blocks)

    def _features(self, network: nn.Module, images: list[Image], device: torch.device) -> Float32:
        pictures = self.input_format.tensor(torch.from_numpy(np.stack(images)).to(device))
        features = functional.normalize(network(pictures).float())
        if self.flip:
            features = functional.normalize(features + functional.normalize(network(pictures.flip(3)).float()))
        return features.cpu().numpy()


def _sightings(source: PictureFiles) -> Sightings:
    """With the set's own numbers of people: query and gallery must mean the same ones."""
    people = np.asarray(source.identities, np.int64)[source.labels["identity"]]
    nothing = np.zeros(len(source), np.int64)
    times = [source.labels.get(name, nothing) for name in ("sequence", "frame")]
    return Sightings(people, source.labels["camera"], *times)
