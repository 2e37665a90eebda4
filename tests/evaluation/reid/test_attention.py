"""Attention maps: of a network whose attention is known, and of a published one."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from mien.cli.main import main
from mien.errors import BadInputError
from mien.evaluation.reid.attention import SHOWN, AttentionMaps, overlaid, write_attention
from mien.media.image import find_pictures, read
from mien.models.catalogue import Model, ModelFile, PictureInput, model

onnx = pytest.importorskip("onnx")


def small_network(folder, *, pooled_by_weight):
    """Two channels, red and what lies left, on 4 x 2 places of a 32 x 16 picture, pooled to two numbers."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    red = np.zeros((2, 3, 8, 8), np.float32)
    red[:, 0] = 1 / 64
    weights = np.ones((2, 1, 4, 2), np.float32)
    weights[:, :, 3] = 0  # the lowest row is not looked at
    pool = (
        helper.make_node("Conv", ["maps", "weights"], ["pooled"], group=2)
        if pooled_by_weight
        else helper.make_node("GlobalAveragePool", ["maps"], ["pooled"])
    )
    nodes = [helper.make_node("Conv", ["input", "red"], ["maps"], strides=[8, 8]), pool]
    nodes.append(helper.make_node("Flatten", ["pooled"], ["embedding"]))
    tensors = [numpy_helper.from_array(red, "red"), numpy_helper.from_array(weights, "weights")]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("input", 1, ["batch", 3, 32, 16])],
        [helper.make_tensor_value_info("embedding", 1, ["batch", 2])],
        tensors if pooled_by_weight else tensors[:1],
    )
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    (folder / "small").mkdir()
    (folder / "small" / "small.onnx").write_bytes(content)
    file = ModelFile("small.onnx", len(content), hashlib.sha256(content).hexdigest(), "")
    words = dict.fromkeys(("publisher", "card", "licence", "training_data", "training_terms", "summary"), "")
    return Model(
        "small", "person-embedding", "optional", **words, precision="fp32", input=PictureInput((32, 16)), files=(file,)
    )


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    from mien.settings import settings

    monkeypatch.setenv("MIEN_MODEL_MIRROR", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def red_at(row, column):
    image = np.zeros((32, 16, 3), np.uint8)
    image[row * 8 : row * 8 + 8, column * 8 : column * 8 + 8, 0] = 200
    return image


def test_attention_lies_where_pictures_differ(mirror):
    attend = AttentionMaps(small_network(mirror, pooled_by_weight=False))
    both = [red_at(0, 1), red_at(3, 0)]
    for image in both:
        image[8:16, :8, 0] = 255  # in both pictures: says nothing
    maps = attend(both)
    assert maps.shape == (2, 4, 2)
    expected = np.zeros((4, 2))
    expected[0, 1] = expected[3, 0] = 1
    np.testing.assert_allclose(maps, [expected, expected], atol=1e-5)
    assert not attend([both[0], both[0]]).any()


def test_a_place_that_is_pooled_with_no_weight_is_not_looked_at(mirror):
    attend = AttentionMaps(small_network(mirror, pooled_by_weight=True))
    maps = attend([red_at(0, 1), red_at(3, 0)])
    assert maps[0, 0, 1] == 1
    assert not maps[:, 3].any()


def test_the_colours_lie_where_the_attention_does():
    attention = np.zeros((4, 2), np.float32)
    attention[3, 1] = 1
    seen = overlaid(np.full((80, 40, 3), 128, np.uint8), attention).astype(int)
    red_over_blue = seen[..., 0] - seen[..., 2]
    assert red_over_blue[70, 35] > 50
    assert red_over_blue[10, 10] < -50


def test_a_detector_has_no_attention():
    with pytest.raises(BadInputError, match="any size") as error:
        AttentionMaps(model("face_detection_yunet_2023mar"))
    assert error.value.code == "no_maps"


def test_people_are_looked_at_rather_than_the_border(data, models, tmp_path):
    pictures = find_pictures(data("market_dev"))
    attend = AttentionMaps(model("person-reidentification-retail-0277"))
    maps = attend([read(picture) for picture in pictures[:: len(pictures) // 12]])
    assert maps.shape[1:] == (16, 8)
    assert maps[:, :, 2:6].mean() > 2 * maps[:, :, [0, 7]].mean()
    sheet = cv2.imread(str(write_attention(tmp_path, attend, pictures)))
    assert sheet.shape[1] > 10 * 160
    assert sheet.shape[0] > 2 * SHOWN // 10 * 160


def test_the_command_draws_them(data, models, tmp_path, capsys):
    crops = tmp_path / "crops"
    crops.mkdir()
    for picture in find_pictures(data("market_dev"))[:40]:
        (crops / picture.name).write_bytes(picture.read_bytes())
    folders = ["--query", str(crops), "--gallery", str(crops)]
    assert main(["evaluate", "reid", *folders, "--attention", str(tmp_path / "seen"), "--json"]) == 0
    assert (tmp_path / "seen" / "attention.png").is_file()
