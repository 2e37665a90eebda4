"""The starter embedders' recipes are whole, and one like them goes from pictures to an exported file."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from training_sets import write_people  # noqa: E402

from mien.training.loop.metrics_log import read_metrics  # noqa: E402
from mien.training.loop.trainer import train  # noqa: E402
from mien.training.recipe import load_recipe  # noqa: E402
from mien.training.release.export import export_run  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")

SMALL = """
name = "small_student"
seed = 1
epochs = 20
input = {{ height = 48, width = 48, mean = [127.5, 127.5, 127.5], std = [127.5, 127.5, 127.5] }}
sampler = {{ class = "mien.training.data.samplers.IdentitySampler", identities = 4, pictures = 4 }}
optimizer = {{ class = "mien.training.loop.optimizers.muon", learning_rate = 0.05 }}
loop = {{ ema = 0.9 }}
[data]
class = "mien.training.data.lessons.Lessons"
source = {{ class = "mien.training.readers.identity_folders.identity_folders", folder = "{people}" }}
folder = "{folder}/lessons"
assume_mirror = true
[data.teacher]
class = "mien.training.data.teacher.Teacher"
name = "face-reidentification-retail-0095"
hints = ["605"]
[network]
class = "mien.training.networks.dense_student.DenseStudent"
size = [48, 48]
widths = [8, 12, 16]
depths = [1, 1, 1]
[task]
class = "mien.training.tasks.distillation.Distillation"
identity = 0.1
"""


@pytest.mark.parametrize("of", ["face", "person"])
@pytest.mark.parametrize("half", ["_start", ""])
def test_the_packaged_recipes_are_valid(of, half):
    recipe = load_recipe(f"starter_{of}_embedder{half}")
    assert recipe.network["size"] == [recipe.input.height, recipe.input.width]
    assert recipe.loop.workers == 0, "a teacher is asked in the process that trains"


@pytest.mark.usefixtures("models")
def test_from_pictures_to_an_exported_student(tmp_path):
    people = write_people(tmp_path / "people")
    recipe = tmp_path / "small.toml"
    recipe.write_text(SMALL.format(people=people, folder=tmp_path))
    train(load_recipe(recipe), tmp_path / "run")
    loss = [row["loss"] for row in read_metrics(tmp_path / "run" / "metrics.jsonl", "train")]
    assert np.mean(loss[-5:]) < 0.5 * np.mean(loss[:5])
    assert json.loads((tmp_path / "run" / "result.json").read_text())["last"]["identity"] > 0
    session = onnxruntime.InferenceSession(export_run(tmp_path / "run").files[0].read_bytes())
    (embedding,) = session.run(None, {"input": np.zeros((3, 3, 48, 48), np.float32)})
    assert embedding.shape == (3, 256)
