"""Recipes are checked as a whole before anything starts."""

import tomllib

import pytest

pytest.importorskip("torch")

from training_sets import recipe_text

from mien.errors import BadInputError, UsageError
from mien.training.recipe import PACKAGED, load_recipe, to_toml


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(recipe_text(tmp_path / "people"))
    return path


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_packaged_recipe_is_right(path):
    assert load_recipe(f"recipes/{path.name}").name == path.stem


def test_changes_are_applied_and_checked(recipe):
    changed = load_recipe(recipe, ["epochs=9", "optimizer.learning_rate=0.5", "loop.precision=bfloat16"])
    assert (changed.epochs, changed.optimizer["learning_rate"], changed.loop.precision) == (9, 0.5, "bfloat16")


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ("epoch=9", "recipe_key_unknown", "did you mean 'epochs'"),
        ("loop.emma=0.9", "recipe_key_unknown", "did you mean 'ema'"),
        ("input.heigth=9", "recipe_key_unknown", "did you mean 'height'"),
        ("network.widht=1.0", "recipe_key_unknown", "did you mean 'width'"),
        ("epochs=many", "recipe_value", "epochs = 'many'"),
        ('epochs="40"', "recipe_value", "epochs = '40'"),
        ("epochs=0", "recipe_value", "greater than or equal to 1"),
        ("loop.precision=float8", "recipe_value", "'bfloat16'"),
        ("loop.ema=1", "recipe_value", "less than 1"),
        ("network.width=wide", "recipe_value", "network.width = 'wide'"),
        ("name=../elsewhere", "recipe_value", "name"),
    ],
)
def test_a_wrong_key_or_value_is_named(recipe, change, code, says):
    with pytest.raises(BadInputError) as caught:
        load_recipe(recipe, [change])
    assert caught.value.code == code
    assert says in str(caught.value)


@pytest.mark.parametrize("change", ["epochs", "=3", "epochs.x=1", ".=1"])
def test_a_change_of_another_form_is_wrong_usage(recipe, change):
    with pytest.raises(UsageError, match="--set") as caught:
        load_recipe(recipe, [change])
    assert caught.value.code == "recipe_change"


def test_no_such_recipe_names_the_packaged_ones():
    with pytest.raises(BadInputError, match="reid_osnet_market_quick"):
        load_recipe("recipes/nothing.toml")


def test_what_is_no_toml_says_where(tmp_path):
    (tmp_path / "bad.toml").write_text('name = "x"\nseed = = 1\n')
    with pytest.raises(BadInputError, match="line 2") as caught:
        load_recipe(tmp_path / "bad.toml")
    assert caught.value.code == "recipe_not_toml"


def test_a_missing_table_is_named(tmp_path):
    (tmp_path / "short.toml").write_text('name = "x"\nepochs = 1\n[input]\nheight = 32\nwidth = 16\n')
    with pytest.raises(BadInputError, match="lacks data"):
        load_recipe(tmp_path / "short.toml")


def test_a_written_recipe_reads_the_same(recipe):
    changes = [
        'description=with "quotes",\n a line\'s end and \\ in it',
        'optimizer.multipliers={ "network.stem" = 0.1, task = 1e-30 }',
        "schedule.last=0.5",
    ]
    table = load_recipe(recipe, changes).model_dump(exclude_unset=True)
    assert table["optimizer"]["multipliers"] == {"network.stem": 0.1, "task": 1e-30}
    assert tomllib.loads(to_toml(table)) == table
