"""Every network: parameters and dimensions of the papers, gradients, and the exported graph's answers."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnxruntime  # noqa: E402
from torch import nn  # noqa: E402

from mien.models.openvino_import import import_openvino  # noqa: E402
from mien.training.networks.branches import Branches  # noqa: E402
from mien.training.networks.dual_path import DPN92  # noqa: E402
from mien.training.networks.iresnet import IResNet  # noqa: E402
from mien.training.networks.mgn import MGN  # noqa: E402
from mien.training.networks.mobilefacenet import MobileFaceNet  # noqa: E402
from mien.training.networks.network_in_network import NetworkInNetwork  # noqa: E402
from mien.training.networks.osnet import OSNet  # noqa: E402
from mien.training.networks.pcb import PCB  # noqa: E402
from mien.training.networks.resnet50 import ResNet50  # noqa: E402

Make = Callable[[], nn.Module]

# Network, parameters, length of the feature, a small picture (height, width) that it takes.
NETWORKS: dict[str, tuple[Make, int, int, tuple[int, int]]] = {
    "osnet x1.0": (OSNet, 2_169_508, 512, (64, 32)),
    "osnet x0.5": (lambda: OSNet(0.5), 630_034, 512, (64, 32)),
    "osnet x0.25": (lambda: OSNet(0.25), 201_864, 512, (64, 32)),
    "osnet-ain x0.25": (lambda: OSNet(0.25, adaptive_normalization=True), 201_864, 512, (64, 32)),
    "mobilefacenet": (MobileFaceNet, 1_003_136, 128, (112, 112)),
    "mobilefacenet half": (lambda: MobileFaceNet(0.5, 256), 321_728, 256, (112, 112)),
    "iresnet-18": (lambda: IResNet(18), 24_025_600, 512, (112, 112)),
    "resnet-50": (ResNet50, 23_508_032, 2048, (64, 32)),
    "resnet-50 ibn-a": (lambda: ResNet50(instance_normalization=True), 23_508_032, 2048, (64, 32)),
    "pcb": (PCB, 26_656_832, 1536, (96, 32)),
    "pcb+rpp": (lambda: PCB(refined=True), 26_669_120, 1536, (96, 32)),
    "mgn": (MGN, 68_807_744, 2048, (96, 32)),
    "network in network": (NetworkInNetwork, 966_986, 10, (32, 32)),
    "dpn-92": (DPN92, 34_979_392, 2688, (64, 32)),
}
LARGE = {
    "iresnet-34": (lambda: IResNet(34), 34_139_328),
    "iresnet-50": (lambda: IResNet(50), 43_590_848),
    "iresnet-100": (lambda: IResNet(100), 65_156_160),
}
SIZES = {name: (make, parameters) for name, (make, parameters, _, _) in NETWORKS.items()} | LARGE


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """A seed, and one thread: on such small pictures more of them only wait for each other."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("name", SIZES)
def test_number_of_parameters(name: str) -> None:
    make, parameters = SIZES[name]
    with torch.device("meta"):
        assert count(make()) == parameters


# What papers and authors print, in the unit and with the digits that they print.
@pytest.mark.parametrize(
    ("name", "published", "tolerance"),
    [
        ("osnet x1.0", 2.2e6, 0.05e6),  # OSNet paper, Table 1 of the ablation and the authors' model zoo
        ("osnet x0.5", 0.6e6, 0.05e6),
        ("osnet x0.25", 0.2e6, 0.05e6),
        ("mobilefacenet", 0.99e6, 0.015e6),  # MobileFaceNets paper, Table 2; ours counts the normalizations
        ("iresnet-34", 34.14e6, 0.005e6),  # sizes in the InsightFace model zoo
        ("iresnet-50", 43.59e6, 0.005e6),
        ("iresnet-100", 65.16e6, 0.005e6),
        ("network in network", 966_986, 0),  # the authors' Caffe model for CIFAR-10, layer by layer
    ],
)
def test_parameters_agree_with_the_publications(name: str, published: float, tolerance: float) -> None:
    assert abs(SIZES[name][1] - published) <= tolerance


def test_classifier_of_imagenet_completes_the_published_counts() -> None:
    assert SIZES["resnet-50"][1] + 2048 * 1000 + 1000 == 25_557_032  # torchvision
    assert SIZES["dpn-92"][1] + 2688 * 1000 + 1000 == 37_668_392  # the authors' model, 37.7 million


def test_authors_of_osnet_count_the_shared_gate_at_each_of_its_uses() -> None:
    with torch.device("meta"):
        network = OSNet()
    gates = sum(count(module) for name, module in network.named_modules() if name.endswith(".gate"))
    assert count(network) + 3 * gates == 2_193_616  # as their tool prints


@pytest.mark.parametrize("name", NETWORKS)
def test_feature_has_the_stated_length_and_every_parameter_learns(name: str) -> None:
    make, _, dimension, size = NETWORKS[name]
    network = make()
    for part, parameter in network.named_parameters():
        if part.endswith("squeeze.weight"):
            # Narrow forms of OSNet have one or two hidden units in a gate, which may start dead.
            parameter.data.abs_()
    images = torch.randn(2, 3, *size)
    assert network.dimension == dimension
    with torch.no_grad():
        assert network.eval()(images).shape == (2, dimension)
    made = network.train()(images)
    outputs = [*made.metric, *made.classified] if isinstance(made, Branches) else [made]
    # Not a plain sum: that has no gradient behind a batch normalization.
    sum((output * torch.randn_like(output)).sum() for output in outputs).backward()
    idle = [
        name
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and (parameter.grad is None or not parameter.grad.any())
    ]
    assert idle == []


DEPLOYED = ("osnet-ain x0.25", "mobilefacenet", "iresnet-18", "pcb+rpp", "mgn")
ON_OPENVINO = ("osnet-ain x0.25", "mobilefacenet", "pcb+rpp")


@pytest.mark.parametrize("name", DEPLOYED)
def test_exported_graph_gives_the_same_features(name: str) -> None:
    make, _, _, size = NETWORKS[name]
    network = make()
    images = torch.randn(2, 3, *size)
    with torch.no_grad():
        network.train()(images)  # running means other than 0 and 1
        expected = network.eval()(images).numpy()
    onnx = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (images[:1],), onnx, dynamo=False, dynamic_axes={"input": {0: "batch"}}, input_names=["input"]
        )
    session = onnxruntime.InferenceSession(onnx.getvalue(), providers=["CPUExecutionProvider"])
    scale = np.abs(expected).max()
    np.testing.assert_allclose(session.run(None, {"input": images.numpy()})[0], expected, atol=1e-4 * scale)
    if name not in ON_OPENVINO:
        return
    openvino = import_openvino()
    compiled = openvino.Core().compile_model(
        openvino.Core().read_model(onnx.getvalue()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    np.testing.assert_allclose(compiled(images.numpy())[0], expected, atol=1e-4 * scale)


def test_parts_of_pcb_are_stripes_and_refined_ones_agree_where_attention_is_stripes() -> None:
    uniform, refined = PCB(parts=3), PCB(parts=3, refined=True)
    maps = torch.rand(2, 2048, 6, 2)
    stripes = uniform._pool(maps)
    torch.testing.assert_close(stripes[:, :, 1], maps[:, :, 2:4].mean((2, 3)))
    hard = torch.full((2, 3, 6, 2), -1e4)
    for part in range(3):
        hard[:, part, 2 * part : 2 * part + 2] = 1e4
    refined.part_classifier = nn.Identity()
    weights = hard.softmax(1)
    refined.attention = lambda _: weights
    torch.testing.assert_close(refined._pool(maps), stripes)


def test_attention_of_parts_sums_to_one() -> None:
    attention = PCB(refined=True).attention(torch.rand(1, 2048, 24, 8))
    assert attention.shape == (1, 6, 24, 8)
    torch.testing.assert_close(attention.sum(1), torch.ones(1, 24, 8))


def test_mgn_gives_three_triplet_and_eight_softmax_inputs() -> None:
    made = MGN().train()(torch.randn(2, 3, 96, 32))
    assert [tuple(value.shape) for value in made.metric] == [(2, 256)] * 3
    assert [value.shape[1] for value in made.classified] == [2048] * 3 + [256] * 5
    assert MGN().classified_dimensions == (2048, 2048, 2048, 256, 256, 256, 256, 256)


def test_part_branches_of_mgn_see_maps_twice_as_fine() -> None:
    network = MGN().eval()
    with torch.no_grad():
        shared = network.trunk(torch.randn(1, 3, 384, 128))
        sizes = [tuple(branch(shared).shape[2:]) for branch in network.branches]
    assert sizes == [(12, 4), (24, 8), (24, 8)]


def test_instance_normalization_takes_a_picture_s_contrast_away() -> None:
    images = torch.rand(1, 3, 64, 32)
    dim = 0.5 * images
    with torch.no_grad():
        plain, adaptive = OSNet(0.25).eval(), OSNet(0.25, adaptive_normalization=True).eval()
        assert torch.cosine_similarity(adaptive.stem(images).flatten(1), adaptive.stem(dim).flatten(1)) > 0.999
        torch.testing.assert_close(adaptive.stem(images), adaptive.stem(dim), rtol=0.01, atol=0.01)
        assert not torch.allclose(plain.stem(images), plain.stem(dim), rtol=0.1, atol=0.05)
