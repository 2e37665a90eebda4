from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.models import store
from mien.models.catalogue import model
from mien.models.openvino_import import import_openvino
from mien.models.runtime import Session
from mien.models.tflite_tail import LAYER, cut_tail


@pytest.fixture(scope="module")
def file(models):
    return store.read(model("mediapipe-selfie-segmentation"))["selfie_segmentation.tflite"]


def test_the_rest_and_the_tail_make_the_whole(file, tmp_path):
    """The mask, computed in NumPy from what the shortened file gives: each pixel becomes 2 x 2 by one product."""
    rest, tail = cut_tail(file)
    assert (tail.kernel.shape, tail.bias.shape) == ((1, 2, 2, 16), (1,))
    picture = np.zeros((256, 256, 3), np.uint8)
    cv2.circle(picture, (128, 80), 40, (210, 160, 140), -1)
    cv2.ellipse(picture, (128, 250), (80, 120), 0, 0, 360, (40, 60, 150), -1)
    (tmp_path / "rest.tflite").write_bytes(rest)
    network = import_openvino().Core().compile_model(tmp_path / "rest.tflite", "CPU")
    features = network(picture[None].astype(np.float32) / 255)[0][0]
    logits = np.einsum("yxc,ijc->yixj", features, tail.kernel[0]).reshape(256, 256) + tail.bias
    mask = Session(model("mediapipe-selfie-segmentation"))(picture[None])["mask"][0, ..., 0]
    np.testing.assert_allclose(mask, 1 / (1 + np.exp(-logits.clip(-30, 30))), atol=2e-3)
    assert mask.max() - mask.min() > 0.5


def test_a_file_without_the_layer_is_left_alone(models):
    other = store.read(model("mediapipe-face-landmark"))["face_landmark.tflite"]
    assert cut_tail(other) == (other, None)


def test_another_form_of_the_layer_is_refused(file):
    options = file.index(np.array([1, 2, 2], "<u4").tobytes())
    changed = file[:options] + np.array([1, 3, 3], "<u4").tobytes() + file[options + 12 :]
    with pytest.raises(ValueError, match="options"):
        cut_tail(changed)
    renamed = file.replace(LAYER, LAYER[::-1]) + LAYER
    with pytest.raises(ValueError, match="last layer but one"):
        cut_tail(renamed)
