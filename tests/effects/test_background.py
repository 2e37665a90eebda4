from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.effects.background import blur_background, replace_background
from mien.errors import UsageError

RED, BLUE, GREEN = (220, 30, 30), (20, 20, 230), (0, 180, 60)


@pytest.fixture(scope="module")
def cut_out():
    """A red disc with a soft edge before blue, as a camera mixes them, and how much of each pixel is the disc."""
    y, x = np.mgrid[:200, :300].astype(np.float32)
    cover = np.clip((70 - np.hypot(x - 150, y - 100)) / 12 + 0.5, 0, 1).astype(np.float32)
    picture = cover[..., None] * np.float32(RED) + (1 - cover[..., None]) * np.float32(BLUE)
    return picture.round().astype(np.uint8), cover


def test_the_person_stays_and_the_background_goes(cut_out):
    picture, cover = cut_out
    changed = replace_background(picture, cover, GREEN)
    assert (changed.shape, changed.dtype) == (picture.shape, np.uint8)
    np.testing.assert_allclose(changed[cover == 1].astype(int), picture[cover == 1].astype(int), atol=1)
    assert (changed[cover == 0] == GREEN).all()


def test_no_halo_of_the_old_background(cut_out):
    """At the soft edge the exact answer is the disc's red over green; the mixed pixels over green are bluish."""
    picture, cover = cut_out
    changed = replace_background(picture, cover, GREEN).astype(float)
    exact = cover[..., None] * np.float32(RED) + (1 - cover[..., None]) * np.float32(GREEN)
    naive = cover[..., None] * picture + (1 - cover[..., None]) * np.float32(GREEN)
    edge = (cover > 0.1) & (cover < 0.9)
    error = np.abs(changed - exact)[edge].mean()
    assert error < 4
    assert error < np.abs(naive - exact)[edge].mean() / 3


def test_blur_does_not_smear_the_person_into_the_background(cut_out):
    """Red must not glow around the disc, as it does when the whole picture is blurred."""
    picture, cover = cut_out
    near = (cover == 0) & (cv2.dilate(cover, np.ones((25, 25))) > 0)
    assert np.abs(blur_background(picture, cover, strength=0.08)[near].astype(int) - BLUE).max() <= 12
    whole = cv2.GaussianBlur(picture, (0, 0), 16)
    assert np.abs(whole[near].astype(int) - BLUE).max() > 60


def test_blur_blurs_the_background_only():
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    cover = np.zeros((120, 160), np.float32)
    cover[:, :80] = 1
    blurred = blur_background(noise, cover)
    np.testing.assert_allclose(blurred[:, :80].astype(int), noise[:, :80].astype(int), atol=1)
    assert blurred[:, 90:].std() < noise[:, 90:].std() / 4


@pytest.mark.parametrize("shape", [(50, 400), (400, 50), (200, 300), (7, 9)])
def test_a_picture_behind_covers_everything(cut_out, shape):
    picture, cover = cut_out
    behind = np.full((*shape, 3), GREEN, np.uint8)
    changed = replace_background(picture, cover, behind)
    assert (changed[cover == 0] == GREEN).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_nobody_and_nothing_but_people(value):
    picture = np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    mask = np.full((40, 30), value, np.float32)
    changed = replace_background(picture, mask, GREEN)
    expected = picture if value else np.broadcast_to(np.uint8(GREEN), picture.shape)
    np.testing.assert_allclose(changed.astype(int), expected.astype(int), atol=1)
    assert blur_background(picture, mask).shape == picture.shape


def test_a_single_pixel():
    assert blur_background(np.full((1, 1, 3), 9, np.uint8), np.ones((1, 1), np.float32)).shape == (1, 1, 3)


def test_a_mask_of_another_picture_and_a_senseless_blur_are_refused(cut_out):
    picture, cover = cut_out
    with pytest.raises(UsageError, match=r"300x200 and the mask 299x200") as caught:
        replace_background(picture, cover[:, 1:], GREEN)
    assert caught.value.code == "mask_mismatch"
    for strength in (0, -1, 2):
        with pytest.raises(UsageError) as caught:
            blur_background(picture, cover, strength=strength)
        assert caught.value.code == "blur_out_of_range"
