"""The exported file answers as the network does, at half the size."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from training_sets import write_people  # noqa: E402

from mien.errors import BadInputError, UsageError  # noqa: E402
from mien.models.openvino_import import import_openvino  # noqa: E402
from mien.training.data.input_format import InputFormat  # noqa: E402
from mien.training.loop import checkpoint  # noqa: E402
from mien.training.networks.anchor_free_detector import AnchorFreeDetector  # noqa: E402
from mien.training.networks.dense_student import DenseStudent  # noqa: E402
from mien.training.release.export import export_run  # noqa: E402
from mien.training.release.exported_network import ExportedNetwork, parity  # noqa: E402
from mien.training.release.onnx_file import onnx_bytes  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
FORMAT = InputFormat(height=32, width=32)


@pytest.fixture(scope="module")
def network() -> DenseStudent:
    torch.manual_seed(0)
    network = DenseStudent((32, 32), widths=(8, 12, 16), depths=(1, 1, 1), dimension=24)
    network(torch.randn(16, 3, 32, 32))  # statistics other than the starting ones
    return network.eval()


def test_parity_with_torch_in_both_runtimes(network):
    model = onnx_bytes(network, FORMAT)
    openvino = import_openvino()
    compiled = openvino.Core().compile_model(
        openvino.Core().read_model(model), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for count in (1, 5):
        pictures = np.random.default_rng(count).normal(size=(count, 3, 32, 32)).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(pictures)).numpy()
        for got in (session.run(None, {"input": pictures})[0], next(iter(compiled([pictures]).values()))):
            assert got.shape == (count, 24)
            cosine = (got * expected).sum(1) / np.linalg.norm(got, axis=1) / np.linalg.norm(expected, axis=1)
            assert cosine.min() > 1 - 1e-5


def test_weights_are_stored_in_half_precision(network):
    model = onnx_bytes(network, FORMAT)
    weights = sum(value.numel() for value in network.parameters())
    assert len(model) < 2 * weights + 20_000
    stored = {
        onnx.TensorProto.DataType.Name(weight.data_type) for weight in onnx.load_from_string(model).graph.initializer
    }
    assert "FLOAT16" in stored
    assert not any(node.op_type == "BatchNormalization" for node in onnx.load_from_string(model).graph.node)


def test_the_network_itself_is_left_alone(network):
    network.train()
    onnx_bytes(network, FORMAT)
    assert network.training
    network.eval()


RECIPE = """
name = "tiny"
epochs = 1
[input]
height = 32
width = 32
[data]
class = "mien.training.data.pictures.Pictures"
source = { class = "mien.training.readers.market1501.market1501", folder = "gone" }
[sampler]
class = "mien.training.data.samplers.RandomSampler"
batch = 2
[network]
class = "mien.training.networks.dense_student.DenseStudent"
size = [32, 32]
widths = [8, 12, 16]
depths = [1, 1, 1]
dimension = 24
[task]
class = "mien.training.tasks.identification.Identification"
[optimizer]
class = "mien.training.loop.optimizers.adamw"
learning_rate = 1e-3
"""


def test_a_run_is_exported_without_its_data(network, tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    with pytest.raises(BadInputError, match="finish the run with --resume") as error:
        export_run(tmp_path)
    assert error.value.code == "run_unfinished"
    checkpoint.save(tmp_path / "weights.safetensors", network.state_dict(), {})
    made = export_run(tmp_path)
    assert made.files == (tmp_path / "model.onnx",)
    assert made.files[0].read_bytes() == onnx_bytes(network, FORMAT)
    assert made.accuracy["parity"]["cosine_least"] > 0.999
    assert export_run(tmp_path, tmp_path / "other.onnx").card == tmp_path / "other.md"
    with pytest.raises(UsageError, match=r"openvino ends in \.xml") as error:
        export_run(tmp_path, tmp_path / "other.onnx", format="openvino")
    assert error.value.code == "export_suffix"


@pytest.fixture
def run(network, tmp_path):
    people = write_people(tmp_path / "people", size=(40, 40))
    reader = f'readers.identity_folders.identity_folders", folder = "{people.as_posix()}"'
    (tmp_path / "recipe.toml").write_text(RECIPE.replace('readers.market1501.market1501", folder = "gone"', reader))
    checkpoint.save(tmp_path / "weights.safetensors", network.state_dict(), {})
    return tmp_path


def pictures(count=5):
    return torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(3))


def test_openvino_s_form_answers_as_the_network_does(network, run):
    made = export_run(run, format="openvino")
    assert [file.name for file in made.files] == ["model.xml", "model.bin"]
    weights = sum(value.numel() for value in network.parameters())
    assert made.files[1].stat().st_size < 2 * weights + 5_000
    assert parity(network, ExportedNetwork(made.files[0]), [pictures()])["cosine_least"] > 0.999


@pytest.mark.parametrize("form", ["onnx", "openvino"])
def test_int8_is_smaller_near_and_measured(network, run, form):
    made = export_run(run, format=form, int8=True)
    assert made.files[0].name == f"model.int8.{'onnx' if form == 'onnx' else 'xml'}"
    assert made.accuracy["calibration_pictures"] == 24
    assert 0.98 < made.accuracy["int8"]["cosine_mean"] < 0.9999999
    kinds = [node.op_type for node in onnx.load(made.files[0]).graph.node] if form == "onnx" else []
    assert form == "openvino" or kinds.count("QuantizeLinear") > 5
    if form == "openvino":
        assert made.files[1].stat().st_size < 1.9 * sum(value.numel() for value in network.parameters())
    assert "mean cosine to float" in made.entry.read_text()


def test_the_recipe_s_evaluation_is_made_of_both(run, tmp_path):
    market = tmp_path / "market"
    market.mkdir()
    for person, folder in enumerate(sorted((tmp_path / "people").iterdir()), start=1):
        for camera, picture in enumerate(sorted(folder.iterdir()), start=1):
            image = PIL.Image.open(picture)
            image.save(market / f"{person:04d}_c{camera}s1_000001_00.jpg")
    table = f"""
[evaluation]
class = "mien.training.tasks.reid_evaluation.ReidEvaluation"
gallery = {{ class = "mien.training.readers.market1501.market1501", folder = "{market.as_posix()}" }}
"""
    (run / "recipe.toml").write_text((run / "recipe.toml").read_text() + table)
    made = export_run(run, int8=True)
    both = made.accuracy["evaluation"]
    assert both["float"].keys() == both["int8"].keys() >= {"map", "rank1"}
    assert abs(both["float"]["map"] - both["int8"]["map"]) < 0.2
    assert "evaluation int8 map" in made.card.read_text()


def test_a_detector_s_outputs_keep_their_names(tmp_path):
    torch.manual_seed(0)
    network = AnchorFreeDetector().eval()
    file = tmp_path / "model.onnx"
    file.write_bytes(onnx_bytes(network, InputFormat(height=64, width=64)))
    made = ExportedNetwork(file, network.output_names)
    looked = torch.randn(1, 3, 96, 64, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        for mine, theirs in zip(network(looked), made(looked), strict=True):
            torch.testing.assert_close(mine, theirs, atol=5e-3, rtol=1e-2)
    assert parity(network, made, [looked])["cosine_least"] > 0.999


def test_int8_of_a_detector_takes_pictures_of_any_size(run):
    write_people(run / "people" / "wide", identities=1, size=(30, 70))
    text = (run / "recipe.toml").read_text()
    detector = 'class = "mien.training.networks.anchor_free_detector.AnchorFreeDetector"\nlandmarks = 0'
    start, end = text.index("[network]"), text.index("[task]")
    torch.manual_seed(0)
    network = AnchorFreeDetector(landmarks=0).eval()
    checkpoint.save(run / "weights.safetensors", network.state_dict(), {})
    text = f"{text[:start]}[network]\n{detector}\n{text[end:]}"
    text = text.replace("data.pictures.Pictures", "data.detection_pictures.DetectionPictures")
    text = text.replace("[data]", "[data]\nlong_side = 160")
    (run / "recipe.toml").write_text(text)
    made = export_run(run, int8=True)
    assert made.accuracy["int8"]["cosine_mean"] > 0.9  # untrained, on noise


def test_what_is_kept_for_measuring_never_calibrates(run):
    text = (run / "recipe.toml").read_text().replace("identity_folders.identity_folders", "lfw.lfw")
    (run / "recipe.toml").write_text(text)
    with pytest.raises(BadInputError, match="LFW is a benchmark") as error:
        export_run(run, int8=True)
    assert error.value.code == "split_forbidden"
