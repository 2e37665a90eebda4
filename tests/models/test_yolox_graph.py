from __future__ import annotations

import numpy as np
import pytest

from mien.models.catalogue import model
from mien.models.runtime import Session


@pytest.mark.parametrize("size", [(320, 416), (416, 224), (64, 32)])
def test_the_lighter_graph_gives_the_people_of_the_whole_one(models, size):
    pytest.importorskip("onnxruntime")
    entry = model("yolox-nano")
    picture = np.random.default_rng(0).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    (whole,) = Session(entry, engine="onnxruntime")(picture).values()
    (lighter,) = Session(entry, engine="openvino")(picture).values()
    assert whole.shape[2] == 85
    assert lighter.shape == (*whole.shape[:2], 6)
    np.testing.assert_allclose(lighter, whole[:, :, :6], rtol=1e-3, atol=1e-3)
    assert np.abs(whole[:, :, 6:]).max() > 0
