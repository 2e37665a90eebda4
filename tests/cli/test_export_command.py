"""`mien export`: what it writes and what it says."""

from __future__ import annotations

import json
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from mien.cli.main import main  # noqa: E402
from mien.training.loop import checkpoint  # noqa: E402
from mien.training.networks.dense_student import DenseStudent  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")

RECIPE = """
name = "tiny"
epochs = 1
input = { height = 32, width = 32 }
sampler = { class = "mien.training.data.samplers.RandomSampler", batch = 2 }
task = { class = "mien.training.tasks.identification.Identification" }
optimizer = { class = "mien.training.loop.optimizers.adamw", learning_rate = 1e-3 }
[data]
class = "mien.training.data.pictures.Pictures"
source = { class = "mien.training.readers.lfw.lfw", folder = "x" }
[network]
class = "mien.training.networks.dense_student.DenseStudent"
size = [32, 32]
widths = [4, 6, 8]
depths = [1, 1, 1]
dimension = 5
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    network = DenseStudent((32, 32), widths=(4, 6, 8), depths=(1, 1, 1), dimension=5)
    checkpoint.save(tmp_path / "weights.safetensors", network.state_dict(), {})
    return tmp_path


def test_the_record_is_that_of_the_file(run, capsys):
    assert main(["export", str(run), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    content = (run / "model.onnx").read_bytes()
    file = {"file": str(run / "model.onnx"), "bytes": len(content), "sha256": sha256(content).hexdigest()}
    assert record.pop("accuracy")["parity"]["cosine_least"] > 0.999
    assert record == {
        **file,
        "files": [file],
        "name": "tiny",
        "card": str(run / "model.md"),
        "entry": str(run / "model.toml"),
    }
    assert file["sha256"] in (run / "model.md").read_text()
    assert tomllib.loads((run / "model.toml").read_text())["tiny"]["dimension"] == 5


def test_openvino_s_form_and_another_name(run, capsys):
    assert main(["export", str(run), "--format", "openvino", "--name", "mine", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [Path(file["file"]).name for file in record["files"]] == ["model.xml", "model.bin"]
    assert list(tomllib.loads((run / "model.toml").read_text())) == ["mine"]


def test_int8_needs_the_training_pictures(run, capsys):
    assert main(["export", str(run), "--int8"]) == 3
    assert "data_missing" in capsys.readouterr().err


def test_another_file_is_written_where_asked(run, capsys):
    assert main(["export", str(run), "--out", str(run / "new" / "a.onnx")]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "a.onnx: " in captured.err
    assert not (run / "model.onnx").exists()


def test_an_unfinished_run_is_bad_input(run, capsys):
    (run / "weights.safetensors").unlink()
    assert main(["export", str(run)]) == 3
    assert "run_unfinished" in capsys.readouterr().err
