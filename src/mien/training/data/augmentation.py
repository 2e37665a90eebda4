"""Random changes of a picture: RGB uint8 `(H, W, 3)` and a generator in, a picture of the same size out.

Each takes its randomness from the generator alone, so that a picture's change depends on the run's seed, the epoch and
the place in it, and on nothing else. The input is never written to.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.records import Image

Random = np.random.Generator


@dataclass(frozen=True)
class Flip:
    """Left and right exchanged.

    Attributes:
        probability: in [0, 1].
    """

    probability: float = 0.5

    def __call__(self, image: Image, random: Random) -> Image:
        return np.ascontiguousarray(image[:, ::-1]) if random.random() < self.probability else image


@dataclass(frozen=True)
class PadCrop:
    """Shifted by up to so many pixels each way; black comes in from the border.

    Attributes:
        pixels: most pixels of shift.
    """

    pixels: int = 10

    def __call__(self, image: Image, random: Random) -> Image:
        height, width = image.shape[:2]
        top, left = random.integers(0, 2 * self.pixels + 1, size=2).tolist()
        edge = (self.pixels,) * 4
        padded = np.asarray(cv2.copyMakeBorder(image, *edge, borderType=cv2.BORDER_CONSTANT, value=(0, 0, 0)))
        return np.ascontiguousarray(padded[top : top + height, left : left + width])


@dataclass(frozen=True)
class ZoomCrop:
    """A random piece of the picture, brought to its size again.

    Attributes:
        least: smallest side of the piece as a share of the picture's, in (0, 1].
    """

    least: float = 0.88

    def __call__(self, image: Image, random: Random) -> Image:
        height, width = image.shape[:2]
        share = self.least + (1 - self.least) * random.random()
        piece_height, piece_width = max(1, round(height * share)), max(1, round(width * share))
        top = int(random.integers(0, height - piece_height + 1))
        left = int(random.integers(0, width - piece_width + 1))
        piece = image[top : top + piece_height, left : left + piece_width]
        return np.asarray(cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@dataclass(frozen=True)
class RandomErasing:
    """A rectangle filled with noise (Zhong et al., "Random erasing data augmentation", 2020).

    Attributes:
        probability: in [0, 1].
        area: smallest and largest share of the picture.
        aspect: smallest height by width; the largest is its inverse.
    """

    probability: float = 0.5
    area: tuple[float, float] = (0.02, 0.4)
    aspect: float = 0.3

    def __call__(self, image: Image, random: Random) -> Image:
        if random.random() >= self.probability:
            return image
        height, width = image.shape[:2]
        area = random.uniform(*self.area) * height * width
        ratio = float(np.exp(random.uniform(np.log(self.aspect), -np.log(self.aspect))))
        tall = min(height, max(1, round(float(np.sqrt(area * ratio)))))
        wide = min(width, max(1, round(float(np.sqrt(area / ratio)))))
        top, left = int(random.integers(0, height - tall + 1)), int(random.integers(0, width - wide + 1))
        changed = image.copy()
        changed[top : top + tall, left : left + wide] = random.integers(0, 256, (tall, wide, 3), np.uint8)
        return changed


@dataclass(frozen=True)
class ColourJitter:
    """Brightness, contrast and saturation multiplied by random factors in [1 - x, 1 + x].

    Attributes:
        brightness, contrast, saturation: x of each, in [0, 1].
        probability: in [0, 1].
    """

    brightness: float = 0.2
    contrast: float = 0.15
    saturation: float = 0.1
    probability: float = 1.0

    def __call__(self, image: Image, random: Random) -> Image:
        if random.random() >= self.probability:
            return image
        brightness, contrast, saturation = (
            1 + amount * random.uniform(-1, 1) for amount in (self.brightness, self.contrast, self.saturation)
        )
        # All three are one affine map of a pixel's colour: away from its grey, away from the mean grey, brighter.
        grey = np.array([0.299, 0.587, 0.114])
        mean = float(np.asarray(cv2.mean(image)[:3]) @ grey)
        matrix = contrast * (saturation * np.eye(3) + (1 - saturation) * grey[None]) * brightness
        shift = np.full((3, 1), (1 - contrast) * mean * brightness)
        return np.asarray(cv2.transform(image, np.hstack([matrix, shift])), np.uint8)


@dataclass(frozen=True)
class LowResolution:
    """Made small and large again, as from far away.

    Attributes:
        probability: in [0, 1].
        least: smallest share of the sides, in (0, 1].
    """

    probability: float = 0.2
    least: float = 0.3

    def __call__(self, image: Image, random: Random) -> Image:
        if random.random() >= self.probability:
            return image
        height, width = image.shape[:2]
        share = random.uniform(self.least, 1.0)
        small = (max(1, round(width * share)), max(1, round(height * share)))
        fewer = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(fewer, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@dataclass(frozen=True)
class Blur:
    """A Gaussian blur.

    Attributes:
        probability: in [0, 1].
        sigma: smallest and largest, in pixels.
    """

    probability: float = 0.2
    sigma: tuple[float, float] = (0.3, 1.5)

    def __call__(self, image: Image, random: Random) -> Image:
        if random.random() >= self.probability:
            return image
        return np.asarray(cv2.GaussianBlur(image, (0, 0), random.uniform(*self.sigma)), np.uint8)
