"""Random changes keep size and input, follow from the generator, and do what they are named for."""

import numpy as np
import pytest

pytest.importorskip("torch")

from mien.training.data.augmentation import Blur, ColourJitter, Flip, LowResolution, PadCrop, RandomErasing, ZoomCrop

ALL = [
    Flip(1.0),
    PadCrop(6),
    ZoomCrop(0.6),
    RandomErasing(1.0),
    ColourJitter(),
    LowResolution(1.0),
    Blur(1.0, (1.0, 2.0)),
]


def picture(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (48, 32, 3), np.uint8)


def smooth():
    rows, columns = np.mgrid[:48, :32]
    return np.stack([rows * 5, columns * 8, 255 - rows * 4], -1).astype(np.uint8)


@pytest.mark.parametrize("change", ALL, ids=lambda change: type(change).__name__)
def test_each_is_a_function_of_the_picture_and_the_generator(change):
    image = picture()
    before = image.copy()
    first = change(image, np.random.default_rng(4))
    assert (first.shape, first.dtype, first.flags.c_contiguous) == (image.shape, np.uint8, True)
    assert (image == before).all()
    assert (first == change(image, np.random.default_rng(4))).all()
    assert (first != image).any()
    if not isinstance(change, Flip):
        others = [change(image, np.random.default_rng(seed)) for seed in range(20)]
        assert any((other != first).any() for other in others)


@pytest.mark.parametrize("kind", [Flip, RandomErasing, ColourJitter, LowResolution, Blur])
def test_probability_zero_leaves_the_picture(kind):
    image = picture()
    assert kind(probability=0.0)(image, np.random.default_rng(0)) is image


def test_flip_exchanges_left_and_right():
    image = picture()
    assert (Flip(1.0)(image, np.random.default_rng(0))[:, 3] == image[:, -4]).all()
    flipped = sum((Flip()(image, np.random.default_rng(seed)) != image).any() for seed in range(400))
    assert 160 < flipped < 240


def test_pad_crop_shifts_and_fills_with_black():
    image = np.maximum(picture(), 1)
    shifts = set()
    for seed in range(200):
        moved = PadCrop(2)(image, np.random.default_rng(seed))
        inside = (moved > 0).all(-1)
        rows, columns = inside.any(1), inside.any(0)
        top = int(rows.argmax()) - int(rows[::-1].argmax())
        left = int(columns.argmax()) - int(columns[::-1].argmax())
        shifts.add((top, left))
        assert (
            moved[inside] == image[max(-top, 0) : 48 - max(top, 0), max(-left, 0) : 32 - max(left, 0)].reshape(-1, 3)
        ).all()
    assert shifts == {(top, left) for top in range(-2, 3) for left in range(-2, 3)}


def test_erasing_covers_the_area_it_says():
    image = np.zeros((60, 30, 3), np.uint8)
    shares = []
    for seed in range(300):
        changed = RandomErasing(1.0, (0.1, 0.3))(image, np.random.default_rng(seed)).any(-1)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        shares.append((rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1) / changed.size)
    assert 0.08 < np.mean(shares) < 0.3
    assert max(shares) < 0.33


def test_jitter_of_brightness_alone_multiplies():
    image = smooth() // 2
    for seed in range(10):
        changed = ColourJitter(brightness=0.3, contrast=0.0, saturation=0.0)(image, np.random.default_rng(seed))
        bright = image > 40
        ratio = changed[bright] / image[bright]
        assert np.ptp(ratio) < 0.05
        assert 0.68 < ratio.mean() < 1.32


def test_jitter_of_saturation_alone_keeps_the_grey():
    image = smooth() // 2 + 60
    weights = np.array([0.299, 0.587, 0.114])
    changed = ColourJitter(brightness=0.0, contrast=0.0, saturation=0.8)(image, np.random.default_rng(3))
    assert np.abs(changed @ weights - image @ weights).max() < 1.5
    assert np.abs(changed.astype(int) - image).max() > 10


@pytest.mark.parametrize("change", [LowResolution(1.0, 0.3), Blur(1.0, (1.5, 2.0))])
def test_detail_goes_and_the_rest_stays(change):
    noise, soft = picture(), smooth()
    random = np.random.default_rng(1)
    assert np.diff(change(noise, random).astype(int), axis=1).std() < 0.6 * np.diff(noise.astype(int), axis=1).std()
    assert np.abs(change(soft, random).astype(int) - soft)[4:-4, 4:-4].mean() < 6


def test_zoom_crop_shows_a_piece():
    image = smooth()
    for seed in range(20):
        changed = ZoomCrop(0.5)(image, np.random.default_rng(seed))
        assert np.ptp(changed[..., 0]) <= np.ptp(image[..., 0])
        assert np.ptp(changed[..., 1]) >= 0.35 * np.ptp(image[..., 1])
