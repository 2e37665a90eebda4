"""How well does the mask of people fit a composed picture? `python benchmarks/segmentation.py`

The astronaut is laid over scikit-image's pictures and over one colour, at three sizes and places, and the mask of the
whole picture is compared with her matte: intersection over union at one half, the means. Prints JSON.
"""

from __future__ import annotations

import json

import cv2
import numpy as np
from skimage import data

from mien.evaluation.clips.astronaut import build_scenery
from mien.evaluation.clips.sprite import Placement, Sprite, paste
from mien.person.segmenter import PersonSegmenter
from mien.records import Image

WIDTH, HEIGHT = 720, 540
PLACES = (Placement(360, 284, 1.0), Placement(400, 300, 0.7), Placement(300, 330, 0.5))
TEXTURES = ("brick", "chelsea", "coffee", "grass", "gravel", "rocket")


def main() -> None:
    """Compose, measure and print one JSON document."""
    scenery, segmenter = build_scenery(), PersonSegmenter()
    backgrounds = {name: background(getattr(data, name)()) for name in TEXTURES}
    backgrounds["sky"] = scenery.sky[:HEIGHT, :WIDTH]
    textured = {name: fit(segmenter, scenery.astronaut, image) for name, image in backgrounds.items()}
    plain = fit(segmenter, scenery.astronaut, np.full((HEIGHT, WIDTH, 3), (90, 120, 100), np.uint8))
    print(json.dumps({"plain": plain, "textured": textured, "mean": round(np.mean([*textured.values()]), 3)}, indent=2))


def background(picture: Image) -> Image:
    """A picture, grey or RGB, stretched to the size."""
    colours = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    return np.asarray(cv2.resize(colours, (WIDTH, HEIGHT)))


def fit(segmenter: PersonSegmenter, astronaut: Sprite, behind: Image) -> float:
    """The mean IoU over the places."""
    white = Sprite(np.full_like(astronaut.image, 255), astronaut.cover)
    found = []
    for place in PLACES:
        picture, cover = behind.copy(), np.zeros_like(behind)
        paste(picture, astronaut, (256.0, 256.0), place)
        paste(cover, white, (256.0, 256.0), place)
        mask, truth = segmenter(picture) > 0.5, cover[..., 0] > 127
        found.append((mask & truth).sum() / (mask | truth).sum())
    return round(float(np.mean(found)), 3)


if __name__ == "__main__":
    main()
