"""`mien train` as it is typed."""

import json
import sys

import pytest

pytest.importorskip("torch")

import numpy as np
import PIL.Image

from mien.cli.main import main


@pytest.fixture
def recipe(tmp_path):
    """A folder of three people with a recipe beside it that trains for one step."""
    for person in range(3):
        (tmp_path / "people" / str(person)).mkdir(parents=True)
        for number in range(2):
            pixels = np.random.default_rng(person * 2 + number).integers(0, 256, (32, 16, 3), np.uint8)
            PIL.Image.fromarray(pixels).save(tmp_path / "people" / str(person) / f"{number}.png")
    path = tmp_path / "tiny.toml"
    path.write_text(f"""
name = "tiny"
epochs = 1
input = {{ height = 32, width = 16 }}
network = {{ class = "mien.training.networks.osnet.OSNet", width = 0.125, dimension = 8 }}
task = {{ class = "mien.training.tasks.identification.Identification" }}
sampler = {{ class = "mien.training.data.samplers.IdentitySampler", identities = 2, pictures = 2 }}
optimizer = {{ class = "mien.training.loop.optimizers.sgd", learning_rate = 0.1 }}
[data]
class = "mien.training.data.pictures.Pictures"
[data.source]
class = "mien.training.readers.identity_folders.identity_folders"
folder = "{tmp_path.as_posix()}/people"
""")
    return path


def test_a_recipe_becomes_weights(recipe, tmp_path, capsys):
    assert main(["train", str(recipe), "--run", str(tmp_path / "run"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["name"], result["steps"], result["run"]) == ("tiny", 1, str(tmp_path / "run"))
    assert (tmp_path / "run" / "weights.safetensors").is_file()
    assert main(["train", str(recipe), "--run", str(tmp_path / "run"), "--resume"]) == 0
    shown = capsys.readouterr()
    assert "tiny: 1 steps" in shown.out
    assert "weights.safetensors" in shown.err


def test_the_run_goes_below_runs_by_its_name(recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "tiny.toml"]) == 0
    assert "step 1/1" in capsys.readouterr().err
    assert (tmp_path / "runs" / "tiny" / "result.json").is_file()


@pytest.mark.parametrize(
    ("options", "exit_code", "says"),
    [
        (["--set", "epochs=x"], 3, "error [recipe_value]"),
        (["--set", "task.smothing=0.1"], 3, "did you mean 'smoothing'"),
        (["--set", "epochs"], 2, "error [recipe_change]"),
        (["--resume"], 3, "error [run_missing]"),
        (["--set", "loop.device=cuda"], 4, "error [gpu_missing]"),
    ],
)
def test_what_is_wrong_is_said(recipe, tmp_path, capsys, options, exit_code, says):
    import torch

    if "gpu_missing" in says and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert main(["train", str(recipe), "--run", str(tmp_path / "run"), *options]) == exit_code
    assert says in capsys.readouterr().err


def test_a_folder_that_is_there_is_left_alone(recipe, tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("keep me")
    assert main(["train", str(recipe), "--run", str(tmp_path / "run")]) == 2
    assert "error [run_exists]" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["mine.txt"]


def test_without_pytorch_the_command_that_gets_it_is_named(recipe, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else object())
    assert main(["train", str(recipe), "--run", str(tmp_path / "run")]) == 4
    assert "pip install 'mien[train]'" in capsys.readouterr().err
