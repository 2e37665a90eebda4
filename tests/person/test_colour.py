from __future__ import annotations

import numpy as np
import pytest

from mien.person.colour import COLOURS, colour_numbers, main_colour

FOCAL = {
    "black": (12, 12, 14),
    "white": (245, 245, 240),
    "grey": (125, 125, 125),
    "red": (200, 20, 30),
    "pink": (250, 160, 190),
    "orange": (255, 140, 0),
    "brown": (110, 65, 30),
    "yellow": (250, 230, 20),
    "green": (20, 140, 40),
    "blue": (30, 60, 190),
    "purple": (130, 30, 150),
}


def patch(rgb, count=9):
    return np.full((count, 1, 3), rgb, np.uint8)


@pytest.mark.parametrize(("name", "rgb"), FOCAL.items())
def test_focal_colours_have_their_names(name, rgb):
    assert main_colour(patch(rgb)) == name


@pytest.mark.parametrize(
    ("rgb", "name"),
    [((25, 30, 60), "blue"), ((70, 130, 230), "blue"), ((90, 10, 15), "red"), ((200, 180, 140), "yellow")],
)
def test_other_shades(rgb, name):
    assert main_colour(patch(rgb)) == name


def test_most_pixels_win_whatever_the_rest_is():
    pixels = np.concatenate([patch(FOCAL["green"], 6), patch(FOCAL["white"], 4), patch(FOCAL["red"], 1)])
    assert main_colour(pixels) == "green"


def test_every_colour_that_exists_has_a_name_and_every_name_is_used():
    steps = np.arange(0, 256, 15, np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1)
    numbers = colour_numbers(cube)
    assert numbers.shape == cube.shape[:3]
    assert set(numbers.ravel().tolist()) == set(range(len(COLOURS)))


def test_no_pixels_no_colour():
    assert main_colour(np.zeros((0, 3), np.uint8)) is None
