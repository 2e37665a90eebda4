from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnxruntime  # noqa: E402
from torch import nn  # noqa: E402

from mien.models.openvino_import import import_openvino  # noqa: E402
from mien.training.networks.anchor_free_detector import AnchorFreeDetector  # noqa: E402

FORMS = [(5, False), (5, True), (0, False), (0, True)]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def test_face_detector_has_the_parameters_of_the_published_yunet_s() -> None:
    assert sum(parameter.numel() for parameter in AnchorFreeDetector().parameters()) == 54_608
    assert sum(parameter.numel() for parameter in AnchorFreeDetector(dense=True).parameters()) == 391_312


@pytest.mark.parametrize(("landmarks", "dense"), FORMS)
def test_outputs_carry_yunet_s_names_and_shapes(landmarks: int, dense: bool) -> None:
    network = AnchorFreeDetector(landmarks, dense=dense).eval()
    with torch.no_grad():
        outputs = dict(zip(network.output_names, network(torch.randn(2, 3, 64, 96)), strict=True))
    cells = {8: 8 * 12, 16: 4 * 6, 32: 2 * 3}
    sizes = {"cls": 1, "obj": 1, "bbox": 4} | ({"kps": 2 * landmarks} if landmarks else {})
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {
        f"{kind}_{stride}": (2, count, size) for kind, size in sizes.items() for stride, count in cells.items()
    }
    assert all(((outputs[name] > 0) & (outputs[name] < 1)).all() for name in outputs if name[:3] in ("cls", "obj"))


@pytest.mark.parametrize(("landmarks", "dense"), FORMS)
def test_every_parameter_learns(landmarks: int, dense: bool) -> None:
    network = AnchorFreeDetector(landmarks, dense=dense).train()
    sum((level * torch.randn_like(level)).sum() for level in network(torch.randn(2, 3, 64, 64))).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None or not value.grad.any()] == []


def test_fresh_network_sees_next_to_nothing() -> None:
    outputs = AnchorFreeDetector(dense=True).eval()(torch.randn(1, 3, 64, 64))
    assert max(float(output.detach().mean()) for output in outputs[:6]) < 0.03


@pytest.mark.parametrize(("landmarks", "dense"), [(5, True), (0, False)])
def test_exported_graph_gives_the_same_outputs_at_any_size(landmarks: int, dense: bool) -> None:
    network = AnchorFreeDetector(landmarks, dense=dense)
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 64, 64))
    network.eval()
    onnx = io.BytesIO()
    axes = {"input": {0: "batch", 2: "height", 3: "width"}, **{name: {0: "batch"} for name in network.output_names}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (torch.zeros(1, 3, 64, 64),), onnx, dynamo=False, input_names=["input"],
            output_names=list(network.output_names), dynamic_axes=axes,
        )  # fmt: skip
    images = torch.randn(2, 3, 96, 128)
    with torch.no_grad():
        expected = [output.numpy() for output in network(images)]
    session = onnxruntime.InferenceSession(onnx.getvalue(), providers=["CPUExecutionProvider"])
    for name, found, wanted in zip(
        network.output_names, session.run(list(network.output_names), {"input": images.numpy()}), expected, strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-4, err_msg=name)
    core = import_openvino().Core()
    compiled = core.compile_model(core.read_model(onnx.getvalue()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    answer = compiled(images.numpy())
    for name, wanted in zip(network.output_names, expected, strict=True):
        np.testing.assert_allclose(answer[name], wanted, atol=1e-4, err_msg=name)


def test_published_weights_fit_and_answer_the_same(models: Path) -> None:
    """The mirrored YuNet is this network: its weights, normalizations folded, give its own outputs."""
    onnx = pytest.importorskip("onnx")
    file = next(iter(models.rglob("face_detection_yunet_2023mar.onnx")), None)
    if file is None:
        pytest.skip("needs the mirrored YuNet")
    graph = onnx.load(file).graph
    weights = {weight.name: torch.from_numpy(onnx.numpy_helper.to_array(weight).copy()) for weight in graph.initializer}
    used = [tuple(weights[name] for name in node.input[1:]) for node in graph.node if node.op_type == "Conv"]
    network = AnchorFreeDetector().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 0.0
    waiting = list(used)
    for convolution in _in_order_of_the_graph(network):
        place = next(number for number, (weight, _) in enumerate(waiting) if weight.shape == convolution.weight.shape)
        weight, bias = waiting.pop(place)
        convolution.weight.data, convolution.bias.data = weight, bias
    assert waiting == []
    images = np.random.default_rng(0).uniform(0, 255, (1, 3, 640, 640)).astype(np.float32)
    expected = onnxruntime.InferenceSession(str(file)).run(list(network.output_names), {"input": images})
    with torch.no_grad():
        found = network(torch.from_numpy(images))
    for name, ours, theirs in zip(network.output_names, found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-3, atol=1e-3, err_msg=name)


def _in_order_of_the_graph(network: AnchorFreeDetector) -> list[nn.Conv2d]:
    """The convolutions as the published graph runs them: stages, necks from coarse to fine, heads kind by kind."""
    parts: list[nn.Module] = [*network.stages, *reversed(list(network.necks))]
    parts += [heads[kind] for kind in range(4) for heads in network.heads]
    return [module for part in parts for module in part.modules() if isinstance(module, nn.Conv2d)]
