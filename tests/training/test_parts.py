"""Recipes' tables become objects, and say clearly why they cannot."""

import pytest

pytest.importorskip("torch")

from mien.errors import BadInputError
from mien.training.data.samplers import IdentitySampler
from mien.training.loop.schedule import Cosine, Steps
from mien.training.parts import build, check

IDENTITIES = "mien.training.data.samplers.IdentitySampler"


class Labelled:
    """As much of a set as a sampler asks for."""

    def __init__(self, labels):
        self.labels = labels


def failure(part, offered=(), where="schedule"):
    with pytest.raises(BadInputError) as caught:
        check(part, where, offered)
    return caught.value.code, str(caught.value)


def test_a_table_becomes_its_class():
    assert build({"class": "mien.training.loop.schedule.Cosine", "warm_up": 3}, "schedule") == Cosine(warm_up=3)


def test_what_is_offered_goes_to_those_who_name_it():
    import numpy as np

    data = Labelled({"identity": np.repeat(np.arange(4), 3)})
    made = build({"class": IDENTITIES, "identities": 2, "pictures": 2}, "sampler", data=data, seed=1, epochs=9)
    assert isinstance(made, IdentitySampler)
    assert made.batches == 3


def test_tables_inside_tables_are_made_first(tmp_path):
    (tmp_path / "ada").mkdir()
    import numpy as np
    import PIL.Image

    PIL.Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "ada" / "1.png")
    from mien.training.data.input_format import InputFormat

    part = {
        "class": "mien.training.data.pictures.Pictures",
        "source": {"class": "mien.training.readers.identity_folders.identity_folders", "folder": str(tmp_path)},
        "augmentation": [{"class": "mien.training.data.augmentation.Flip", "probability": 1.0}],
    }
    pictures = build(part, "data", input_format=InputFormat(height=16, width=8))
    assert pictures.plain(0).shape == (16, 8, 3)
    assert pictures.augmentation[0].probability == 1.0


@pytest.mark.parametrize(
    ("part", "code", "says"),
    [
        ({}, "recipe_class", "names no class"),
        ({"class": "mien.training.loop.schedule.Cosin"}, "recipe_class", "did you mean 'Cosine'"),
        ({"class": "mien.training.scedule.Cosine"}, "recipe_class", "cannot be imported"),
        ({"class": "no_such_package.Cosine"}, "recipe_class", "no installed package"),
        ({"class": "os.system", "command": "true"}, "recipe_class", "no installed package"),
        ({"class": "__import__('os')"}, "recipe_class", "not of the form"),
        ({"class": "mien.training.loop.schedule.Cosine", "warmup": 1}, "recipe_key_unknown", "did you mean 'warm_up'"),
        ({"class": "mien.training.loop.schedule.Cosine", "warm_up": "5"}, "recipe_value", "warm_up = '5'"),
        ({"class": "mien.training.loop.schedule.Steps"}, "recipe_key_missing", "lacks at"),
        ({"class": "mien.training.loop.schedule.Steps", "at": [1, "x"]}, "recipe_value", "at.1 = 'x'"),
        ({"class": IDENTITIES, "data": 3}, "recipe_value", "expected a table that names a class"),
        ({"class": IDENTITIES}, "recipe_key_missing", "lacks data, seed"),
    ],
)
def test_errors_name_the_place_and_the_remedy(part, code, says):
    found, message = failure(part)
    assert found == code
    assert says in message
    assert message.startswith("schedule")


def test_what_the_program_offers_cannot_be_given():
    code, message = failure({"class": IDENTITIES, "seed": 4}, offered=("data", "seed"))
    assert code == "recipe_key_unknown"
    assert "identities" in message


def test_a_mistake_inside_a_list_is_found():
    part = {
        "class": "mien.training.data.pictures.Pictures",
        "source": {"class": "mien.training.readers.lfw.lfw", "folder": "lfw"},
        "augmentation": [
            {"class": "mien.training.data.augmentation.Flip"},
            {"class": "mien.training.data.augmentation.Blur", "sigmas": 1},
        ],
    }
    code, message = failure(part, offered=("input_format",), where="data")
    assert (code, "data.augmentation[1]" in message, "'sigma'" in message) == ("recipe_key_unknown", True, True)


def test_lists_and_whole_numbers_are_taken_as_toml_has_them():
    assert build({"class": "mien.training.loop.schedule.Steps", "at": [4, 8]}, "schedule")(5, 10) == Steps(at=[4.0])(
        5, 10
    )
