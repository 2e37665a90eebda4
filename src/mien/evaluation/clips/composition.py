"""Clips composed from still pictures, with exact truth: people come in at the borders, move, and leave.

Made at test time from pictures that may not be published, and never stored. Each actor has one stay: cut out with a
soft oval, it crosses the frame or comes in and turns back, while its size, in-plane rotation, brightness and
sharpness change slowly. Up to three are in the frame, in lanes that touch, so that now and then one hides another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.errors import UsageError
from mien.evaluation.clips.sprite import Placement, Sprite, paste, smooth_noise
from mien.geometry import box_area
from mien.media.image import read
from mien.records import Float32, Image

PICTURE_SIDE = 250
"""Pixels; actors are shown in pictures framed as those of LFW deep-funneled."""
FACE_BOX = (79.0, 66.0, 173.0, 189.0)
"""The median box of YuNet in 200 such pictures; the truth of a clip follows from it, so it holds to some pixels."""

_LANES = 3
_VISIBLE = 0.5
_ANCHOR = ((FACE_BOX[0] + FACE_BOX[2]) / 2, (FACE_BOX[1] + FACE_BOX[3]) / 2)
_OVAL = (76.0, 104.0)
"""Half axes of the cut-out in the picture's pixels: head and some hair."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """Somebody who has one stay in a clip.

    Attributes:
        name: the subject's name.
        pictures: RGB uint8 `(250, 250, 3)` with the face in the middle, or files of such; read when the stay begins,
            and shown one after the other for equal times.
        enrolled: whether a watcher is expected to know this subject.
    """

    name: str
    pictures: Sequence[Image | Path]
    enrolled: bool


@dataclass(frozen=True, slots=True, eq=False)
class ClipFrame:
    """One frame and what is in it.

    Attributes:
        image: RGB uint8 `(H, W, 3)`.
        index: 0-based number of the frame.
        time: seconds from the start.
        boxes: position in `actors` -> `xyxy` face box in pixels, float32 `(4,)`, for every face of which at least half
            is inside the frame and not hidden by another.
    """

    image: Image
    index: int
    time: float
    boxes: dict[int, Float32]


@dataclass(frozen=True, slots=True)
class _Stay:
    """How one actor moves; all random numbers are drawn beforehand, so that frames depend on time alone."""

    start: float
    end: float
    from_left: bool
    turns_back: bool
    reach: float
    row: float
    wobble: float
    scales: tuple[float, float]
    swing: float
    gains: tuple[float, float]
    blur: float
    phase: float


def compose(
    actors: Sequence[Actor],
    *,
    width: int = 1280,
    height: int = 720,
    frame_rate: float = 25.0,
    seconds: float = 4.0,
    seed: int = 0,
) -> Iterator[ClipFrame]:
    """Frames of a clip in which each actor has one stay, in the given order.

    Args:
        actors: in the order in which they come in; the same subject may have several stays.
        width, height: of the frame in pixels; faces are 1/16 to 1/6 of the height wide.
        frame_rate: frames a second.
        seconds: about the mean length of a stay; small faces, being far away, stay longer than large ones. The clip is
            as long as all stays need.
        seed: the same seed gives the same frames.

    Raises:
        UsageError: a picture does not have 250x250 pixels, or an actor has none.

    Example:
        >>> import numpy as np
        >>> actors = [Actor("a", [np.full((250, 250, 3), 200, np.uint8)], enrolled=True)]
        >>> frames = list(compose(actors, width=320, height=180, seconds=1.0))
        >>> sum(0 in frame.boxes for frame in frames) > 10
        True
    """
    generator = np.random.default_rng(seed)
    background = _background(height, width, generator)
    stays = _plan(len(actors), seconds, generator)
    starts, ends = np.array([[stay.start, stay.end] for stay in stays]).reshape(-1, 2).T
    cover = _oval()
    on_stage: dict[int, list[Sprite]] = {}
    for index in range(round((ends.max(initial=0.0) + 0.4) * frame_rate)):
        time = index / frame_rate
        image = background.copy()
        boxes: dict[int, Float32] = {}
        present = np.flatnonzero((starts <= time) & (time < ends)).tolist()
        on_stage = {number: on_stage.get(number) or _sprites(actors[number], cover) for number in present}
        for number, sprites in on_stage.items():
            stay = stays[number]
            part = (time - stay.start) / (stay.end - stay.start)
            place = _place(stay, part, width, height)
            paste(image, sprites[int(part * len(sprites))], _ANCHOR, place)
            boxes = {other: box for other, box in boxes.items() if _shared(box, _face(place)) <= 1 - _VISIBLE}
            if _shared(_face(place), np.array([0, 0, width, height], np.float32)) >= _VISIBLE:
                boxes[number] = _face(place)
        yield ClipFrame(image, index, time, boxes)


def _plan(count: int, seconds: float, generator: np.random.Generator) -> list[_Stay]:
    """One stay an actor: each takes the lane that is free first, a short while after it was left."""
    free = [0.3 + 0.8 * seconds * lane / _LANES for lane in range(_LANES)]
    stays = []
    for _ in range(count):
        lane = int(np.argmin(free))
        start = free[lane] + generator.uniform(0.3, 1.0)
        scales = generator.uniform(0.48, 1.28), generator.uniform(0.48, 1.28)
        # who is far away crosses the picture more slowly
        end = free[lane] = start + seconds * generator.uniform(0.75, 1.25) * 1.7 / sum(scales)
        stays.append(
            _Stay(
                start=start,
                end=end,
                from_left=bool(generator.random() < 0.5),
                turns_back=bool(generator.random() < 0.3),
                reach=generator.uniform(0.4, 0.75),
                row=(lane + 0.5) / _LANES,
                wobble=generator.uniform(-0.06, 0.06),
                scales=scales,
                swing=generator.uniform(-16, 16),
                gains=(generator.uniform(0.45, 1.1), generator.uniform(0.8, 1.15)),
                blur=generator.uniform(0.3, 3.0),
                phase=generator.uniform(0, 2 * np.pi),
            )
        )
    return stays


def _place(stay: _Stay, part: float, width: int, height: int) -> Placement:
    """Where and how an actor is when `part` in [0, 1) of its stay is over."""
    unit = height / 720
    smooth = part * part * (3 - 2 * part)
    scale = unit * (stay.scales[0] + (stay.scales[1] - stay.scales[0]) * smooth)
    outside = _OVAL[1] * scale
    if stay.turns_back:
        x = -outside + (stay.reach * width + outside) * np.sin(np.pi * part)
    else:
        x = -outside + (width + 2 * outside) * part
    turn = 2 * np.pi * part + stay.phase
    return Placement(
        x=float(x if stay.from_left else width - x),
        y=height * (stay.row + stay.wobble * np.sin(turn)),
        scale=scale,
        angle=stay.swing * np.sin(turn),
        gain=stay.gains[0] + (stay.gains[1] - stay.gains[0]) * (0.5 + 0.5 * np.cos(turn)),
        blur=unit * stay.blur * max(0.0, np.sin(2 * turn)) ** 2,
    )


def _face(place: Placement) -> Float32:
    half = place.scale * (np.array(FACE_BOX[2:]) - FACE_BOX[:2]) / 2
    return np.array([place.x - half[0], place.y - half[1], place.x + half[0], place.y + half[1]], np.float32)


def _shared(box: Float32, other: Float32) -> float:
    """How much of `box` lies in `other`, in [0, 1]."""
    common = np.concatenate([np.maximum(box[:2], other[:2]), np.minimum(box[2:], other[2:])])
    return float(box_area(common) / box_area(box))


def _sprites(actor: Actor, cover: Float32) -> list[Sprite]:
    pictures = [read(picture) if isinstance(picture, Path) else picture for picture in actor.pictures]
    shapes = [picture.shape for picture in pictures]
    if not shapes or any(shape != (PICTURE_SIDE, PICTURE_SIDE, 3) for shape in shapes):
        raise UsageError(
            f"actor {actor.name!r} has pictures of the shapes {shapes}; "
            f"give at least one, each of {PICTURE_SIDE}x{PICTURE_SIDE} RGB pixels",
            code="clip_picture_size",
        )
    return [Sprite(picture, cover) for picture in pictures]


def _oval() -> Float32:
    y, x = np.mgrid[:PICTURE_SIDE, :PICTURE_SIDE]
    distance = np.hypot((x - _ANCHOR[0]) / _OVAL[0], (y - (_ANCHOR[1] - 6)) / _OVAL[1])
    return np.clip((1 - distance) / 0.12, 0, 1).astype(np.float32)


def _background(height: int, width: int, generator: np.random.Generator) -> Image:
    """Soft hills of dull colour."""
    low, high = (grey + generator.uniform(-14, 14, 3) for grey in (70, 150))
    hills = smooth_noise(height, width, max(height // 3, 1), generator)[..., None]
    grain = generator.normal(0, 2.5, (height, width, 1))
    return np.clip(low + (high - low) * hills + grain, 0, 255).astype(np.uint8)
