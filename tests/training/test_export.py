"""The exported file answers as the network does, at half the size."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402

from mien.errors import BadInputError  # noqa: E402
from mien.models.openvino_import import import_openvino  # noqa: E402
from mien.training import checkpoint  # noqa: E402
from mien.training.export import export_run, onnx_bytes  # noqa: E402
from mien.training.input_format import InputFormat  # noqa: E402
from mien.training.networks.dense_student import DenseStudent  # noqa: E402

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
class = "mien.training.pictures.Pictures"
source = { class = "mien.training.readers.market1501.market1501", folder = "gone" }
[sampler]
class = "mien.training.samplers.RandomSampler"
batch = 2
[network]
class = "mien.training.networks.dense_student.DenseStudent"
size = [32, 32]
widths = [8, 12, 16]
depths = [1, 1, 1]
dimension = 24
[task]
class = "mien.training.identification.Identification"
[optimizer]
class = "mien.training.optimizers.adamw"
learning_rate = 1e-3
"""


def test_a_run_is_exported_without_its_data(network, tmp_path):
    (tmp_path / "recipe.toml").write_text(RECIPE)
    with pytest.raises(BadInputError, match="finish the run with --resume") as error:
        export_run(tmp_path)
    assert error.value.code == "run_unfinished"
    checkpoint.save(tmp_path / "weights.safetensors", network.state_dict(), {})
    file = export_run(tmp_path)
    assert file == tmp_path / "model.onnx"
    assert file.read_bytes() == onnx_bytes(network, FORMAT)
    assert export_run(tmp_path, tmp_path / "other.onnx").is_file()
