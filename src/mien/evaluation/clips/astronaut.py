"""The clips of `make demo`: the astronaut of scikit-image floats through a drawn sky, and the same sky without her.

She is Eileen Collins in a NASA portrait in the public domain, the only person in the demo. The cat and the cup that
drift by in both clips are scikit-image's `chelsea` and `coffee` (CC0): things that a recognizer must leave alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image as Pillow

from mien.errors import MissingError
from mien.evaluation.clips.sprite import Placement, Sprite, paste, smooth_noise
from mien.media.writer import VideoWriter
from mien.records import Float32, Image

WIDTH, HEIGHT, FRAME_RATE, SECONDS = 1280, 720, 25.0, 14.0
SUBJECT = "Eileen Collins"

_FACE = (223.0, 120.0)
"""Middle of her face in the portrait, pixels."""

# time in seconds; middle of the face as fractions of the frame; scale; degrees clockwise; brightness; blur in pixels
_FLIGHT = np.array(
    [
        [0.0, -0.32, 0.44, 1.20, -8, 1.00, 0.0],
        [0.6, -0.32, 0.44, 1.20, -8, 1.00, 0.0],
        [2.4, 0.36, 0.40, 1.20, 0, 1.00, 0.0],
        [3.8, 0.50, 0.42, 1.40, 0, 1.00, 0.0],
        [4.8, 0.50, 0.42, 1.25, 24, 1.00, 0.0],
        [6.2, 0.47, 0.42, 1.15, -24, 1.00, 0.0],
        [7.2, 0.45, 0.40, 1.00, 0, 1.00, 0.0],
        [8.6, 0.60, 0.36, 0.42, 6, 1.00, 0.0],
        [9.6, 0.56, 0.38, 0.52, -4, 0.30, 0.0],
        [10.6, 0.52, 0.40, 0.85, 0, 1.00, 0.0],
        [11.3, 0.56, 0.40, 0.95, 0, 1.00, 5.0],
        [12.0, 0.62, 0.40, 1.00, 4, 1.00, 0.0],
        [13.6, 1.32, 0.38, 1.10, 14, 1.00, 0.0],
        [14.0, 1.32, 0.38, 1.10, 14, 1.00, 0.0],
    ]
)


@dataclass(frozen=True, slots=True)
class AstronautClips:
    """What `write_clips` wrote.

    Attributes:
        portrait: PNG of the still picture to enroll from.
        with_her: video in which she comes near, turns in the plane, shrinks, darkens, blurs and leaves.
        without_her: video of the same sky and things, with nobody in it.
    """

    portrait: Path
    with_her: Path
    without_her: Path


def write_clips(folder: Path) -> AstronautClips:
    """Write the portrait and both clips (14 s each, 1280x720, 25 frames a second) into `folder`, made if needed.

    Raises:
        MissingError: scikit-image is not installed (code `dependency_missing`).
    """
    portrait, _, _ = _pictures()
    folder.mkdir(parents=True, exist_ok=True)
    clips = AstronautClips(
        folder / "eileen_collins.png", folder / "with_astronaut.mp4", folder / "without_astronaut.mp4"
    )
    Pillow.fromarray(portrait).save(clips.portrait)
    with ThreadPoolExecutor(2) as pool:  # drawing and encoding leave Python's lock: two clips take the time of one
        list(pool.map(_write_clip, (clips.with_her, clips.without_her), (True, False)))
    return clips


def _write_clip(path: Path, present: bool) -> None:
    with VideoWriter(path, frame_rate=FRAME_RATE, width=WIDTH, height=HEIGHT) as writer:
        for image in clip_frames(present=present):
            writer.write(image)


def clip_frames(*, present: bool) -> Iterator[Image]:
    """The frames of one clip, RGB uint8 `(720, 1280, 3)`, the same at every call; `present`: with her."""
    scenery = build_scenery()
    for number in range(round(SECONDS * FRAME_RATE)):
        yield draw(scenery, number / FRAME_RATE, present=present)


@dataclass(frozen=True, slots=True, eq=False)
class Scenery:
    """What frames are put together from: she, cat and cup, and the sky, RGB uint8 `(720, 1480, 3)`."""

    astronaut: Sprite
    things: tuple[Sprite, Sprite]
    sky: Image


def build_scenery() -> Scenery:
    """Cut out and draw everything once.

    Raises:
        MissingError: scikit-image is not installed (code `dependency_missing`).
    """
    portrait, cat, cup = _pictures()
    things = _disc(cat, (205, 150), 145), _disc(cup, (303, 185), 172)
    return Scenery(Sprite(portrait, _matte(portrait)), things, _sky())


def draw(scenery: Scenery, time: float, *, present: bool) -> Image:
    """The frame at a time in seconds, RGB uint8 `(720, 1280, 3)`."""
    shift = round(12 * time)
    image = np.ascontiguousarray(scenery.sky[:, shift : shift + WIDTH])
    for thing, place in zip(scenery.things, _drift(time), strict=True):
        paste(image, thing, (thing.cover.shape[1] / 2, thing.cover.shape[0] / 2), place)
    if present:
        paste(image, scenery.astronaut, _FACE, flight(time))
    return image


def flight(time: float) -> Placement:
    """Where she is at a time in seconds: between the rows of the flight plan with soft starts and stops."""
    row = int(np.clip(np.searchsorted(_FLIGHT[:, 0], time, side="right"), 1, len(_FLIGHT) - 1))
    before, after = _FLIGHT[row - 1], _FLIGHT[row]
    part = float(np.clip((time - before[0]) / (after[0] - before[0]), 0, 1))
    x, y, scale, angle, gain, blur = (before + (after - before) * part * part * (3 - 2 * part))[1:].tolist()
    return Placement(x * WIDTH, y * HEIGHT, scale, angle, gain, blur)


def _pictures() -> tuple[Image, Image, Image]:
    """Portrait, cat and cup."""
    try:
        from skimage import data as pictures
    except ImportError as error:
        raise MissingError(
            "the demo clip is made from scikit-image's pictures, and scikit-image is not installed; "
            "run `pip install 'mien[demo]'`",
            code="dependency_missing",
        ) from error
    data: Any = pictures
    return data.astronaut(), data.chelsea(), data.coffee()


def _matte(portrait: Image) -> Float32:
    """Her outline: GrabCut (Rother et al., SIGGRAPH 2004) from a rough hand-drawn shape, with a soft end below."""
    rough = np.full(portrait.shape[:2], cv2.GC_BGD, np.uint8)
    around = [
        (150, 100),
        (152, 50),
        (185, 12),
        (230, 5),
        (275, 15),
        (305, 55),
        (306, 110),
        (286, 128),
        (270, 152),
        (262, 172),
        (284, 186),
        (306, 222),
    ]
    around += [(345, 255), (375, 340), (440, 335), (490, 390), (511, 470), (511, 511), (10, 511), (18, 420)]
    around += [(30, 290), (65, 228), (105, 210), (112, 165), (170, 140)]
    inside = [
        (190, 45),
        (265, 45),
        (282, 90),
        (262, 145),
        (254, 175),
        (288, 230),
        (335, 290),
        (345, 345),
        (430, 360),
        (480, 511),
    ]
    inside += [(45, 511), (45, 350), (60, 270), (125, 235), (130, 190), (185, 160), (172, 90)]
    cv2.fillPoly(rough, [np.array(around, np.int32)], cv2.GC_PR_FGD)
    cv2.fillPoly(rough, [np.array(inside, np.int32)], cv2.GC_FGD)
    cv2.setRNGSeed(0)
    bgr = cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(bgr, rough, (0, 0, 1, 1), *models, 3, cv2.GC_INIT_WITH_MASK)  # the rectangle is not used here
    solid = np.isin(rough, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    pieces, names, sizes, _ = cv2.connectedComponentsWithStats(solid)
    largest = 1 + int(sizes[1:pieces, cv2.CC_STAT_AREA].argmax())
    # one pixel less all around: the outermost one still holds the light background of the portrait
    outline = cv2.erode((names == largest).astype(np.float32), np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(outline, (0, 0), 1.2)
    y, x = np.mgrid[: soft.shape[0], : soft.shape[1]].astype(np.float32)
    fade = np.clip((500 - y - ((x - 256) / 256) ** 2 * 60) / 70, 0, 1)
    return np.clip(soft * fade * fade * (3 - 2 * fade), 0, 1).astype(np.float32)


def _disc(picture: Image, middle: tuple[int, int], radius: int) -> Sprite:
    """The round part of a picture, with a soft edge."""
    x, y = middle
    image = np.ascontiguousarray(picture[y - radius : y + radius, x - radius : x + radius])
    rows, columns = np.mgrid[: 2 * radius, : 2 * radius] - (radius - 0.5)
    cover = np.clip((radius - np.hypot(rows, columns)) / (0.06 * radius), 0, 1)
    return Sprite(image, cover.astype(np.float32))


def _drift(time: float) -> tuple[Placement, Placement]:
    """Cat and cup at a time in seconds."""
    part = time / SECONDS
    cat = Placement(WIDTH * (1.1 - 1.1 * part), HEIGHT * (0.24 + 0.05 * np.sin(5 * part)), 0.5, 110 + 130 * part)
    cup = Placement(WIDTH * (-0.05 + 1.1 * part), HEIGHT * (0.74 - 0.05 * np.sin(4 * part)), 0.42, 140 * part)
    return cat, cup


def _sky() -> Image:
    """Stars, a faint nebula and the rim of a blue planet, a little wider than the frame."""
    generator = np.random.default_rng(1983)
    width = WIDTH + 200
    y, x = np.mgrid[:HEIGHT, :width].astype(np.float32)
    sky = np.empty((HEIGHT, width, 3), np.float32)
    sky[:] = np.array([9, 12, 30], np.float32) + (y / HEIGHT)[..., None] * np.array([10, 18, 38], np.float32)
    nebula = smooth_noise(HEIGHT, width, 260, generator) * smooth_noise(HEIGHT, width, 120, generator)
    sky += nebula[..., None] * np.array([46, 22, 62], np.float32)
    stars = np.zeros((HEIGHT, width), np.float32)
    for size, count in ((0.7, 320), (1.1, 110), (1.8, 22)):
        points = np.zeros_like(stars)
        where = generator.integers(0, HEIGHT, count), generator.integers(0, width, count)
        points[where] = generator.uniform(120, 255, count) * 2 * np.pi * size * size
        stars += cv2.GaussianBlur(points, (0, 0), size)
    sky += stars[..., None] * np.array([0.95, 0.97, 1.0], np.float32)
    radius = 2200.0
    depth = radius - np.hypot(x - width / 2, y - (HEIGHT - 95 + radius))
    bands = [cv2.resize(smooth_noise(HEIGHT, width // 4, cell, generator), (width, HEIGHT)) for cell in (44, 21, 9)]
    clouds = 0.45 * bands[0] + 0.35 * bands[1] + 0.2 * bands[2]
    planet = np.array([18, 62, 128], np.float32) + np.clip((clouds - 0.48) * 3, 0, 1)[..., None] * 80
    lit = np.clip(0.45 + depth / 220, 0, 1)[..., None]
    ground = np.clip(depth / 3, 0, 1)[..., None]
    sky = sky * (1 - ground) + planet * lit * ground
    sky += np.exp(-np.abs(depth) / 16)[..., None] * np.array([60, 125, 190], np.float32)
    sky += generator.normal(0, 1.2, sky.shape).astype(np.float32)  # dither: smooth gradients show bands in video
    return np.clip(sky, 0, 255).astype(np.uint8)
