from __future__ import annotations

import numpy as np
import pytest

from mien.evaluation.clips.sprite import Placement, paste
from mien.person.segmenter import PersonSegmenter
from mien.records import Person

pytest.importorskip("skimage.data", reason="needs scikit-image for the astronaut's portrait")


@pytest.fixture(scope="module")
def segmenter(models):
    return PersonSegmenter()


@pytest.fixture(scope="module")
def astronaut():
    from mien.evaluation.clips.astronaut import build_scenery

    return build_scenery().astronaut


def composed(sprite, background, place):
    """A picture with the sprite in it, and how much of each pixel is hers."""
    picture, cover = background.copy(), np.zeros_like(background)
    anchor = (256.0, 256.0)
    paste(picture, sprite, anchor, place)
    white = type(sprite)(np.full_like(sprite.image, 255), sprite.cover)
    paste(cover, white, anchor, place)
    return picture, cover[..., 0] / np.float32(255)


def overlap(mask, cover):
    first, second = mask > 0.5, cover > 0.5
    return (first & second).sum() / (first | second).sum()


@pytest.mark.parametrize(("scale", "x", "y"), [(1.0, 360, 284), (0.7, 400, 300), (0.5, 300, 330)])
def test_mask_fits_the_matte_of_a_composed_picture(segmenter, astronaut, scale, x, y):
    picture, cover = composed(astronaut, np.full((540, 720, 3), (90, 120, 100), np.uint8), Placement(x, y, scale))
    mask = segmenter(picture)
    assert (mask.shape, mask.dtype) == ((540, 720), np.float32)
    assert 0 <= mask.min() <= mask.max() <= 1
    assert overlap(mask, cover) >= 0.9


def test_small_people_need_a_closer_look(segmenter, astronaut):
    background = np.full((720, 1280, 3), (90, 120, 100), np.uint8)
    picture, cover = composed(astronaut, background, Placement(300, 300, 0.16))
    rows, columns = np.nonzero(cover > 0.5)
    person = Person(np.float32([columns.min(), rows.min(), columns.max(), rows.max()]), 0.9)
    assert overlap(segmenter(picture, [person]), cover) >= 0.85


def test_somebody_near_is_seen_in_the_whole_picture(segmenter, astronaut):
    """A box that ends at her arm must not cut off the helmet that she holds."""
    picture, _ = composed(astronaut, np.full((540, 540, 3), (90, 120, 100), np.uint8), Placement(270, 284))
    near = Person(np.float32([30, 30, 380, 530]), 0.9)
    np.testing.assert_allclose(segmenter(picture, [near]), segmenter(picture), atol=1e-6)


def test_what_no_person_touches_is_background(segmenter):
    """The cat that drifts through the demo's sky beside the astronaut is round, like a head."""
    from mien.evaluation.clips.astronaut import build_scenery, draw

    picture = draw(build_scenery(), 3.8, present=True)
    cat = slice(140, 300), slice(960, 1110)
    astronaut = Person(np.float32([357, 153, 844, 720]), 0.9)
    assert segmenter(picture)[cat].max() > 0.5
    mask = segmenter(picture, [astronaut])
    assert mask[cat].max() == 0
    assert mask[300, 640] > 0.9


def test_only_the_surroundings_of_people_are_looked_at(segmenter, astronaut):
    picture, _ = composed(astronaut, np.full((540, 720, 3), (90, 120, 100), np.uint8), Placement(200, 284))
    mask = segmenter(picture, [Person(np.float32([600, 100, 700, 400]), 0.9)])
    assert mask[:, :570].max() == 0
    assert segmenter(picture, []).max() == 0
    assert segmenter(picture, [Person(np.float32([900, 900, 950, 990]), 0.9)]).max() == 0


@pytest.mark.parametrize("shape", [(1, 1), (2, 400), (300, 3)])
def test_odd_shapes_have_a_mask_of_their_size(segmenter, shape):
    assert segmenter(np.zeros((*shape, 3), np.uint8)).shape == shape
