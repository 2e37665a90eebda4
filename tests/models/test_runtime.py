from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from mien.errors import MissingError
from mien.models.catalogue import PictureInput, catalogue, model
from mien.models.onnx_shapes import open_dimensions
from mien.models.runtime import Session, normalize
from mien.settings import settings


def pictures(entry, count=3, seed=0):
    height, width = entry.input.size or (96, 160)
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", list(catalogue()))
def test_batch_equals_single_pictures_and_asynchronous_runs(models, name):
    entry = model(name)
    session = Session(entry)
    batch = pictures(entry)
    together = session(batch)
    alone = session(batch[1:2])
    beside = session.many([batch, batch[:1]])
    for output, values in together.items():
        assert values.shape[0] == 3
        assert np.isfinite(values).all()
        np.testing.assert_allclose(values[1:2], alone[output], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(values, beside[0][output], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(values[:1], beside[1][output], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["face_detection_yunet_2023mar", "mobilefacenet-foamliu", "open-closed-eye-0001"])
def test_onnx_runtime_agrees_with_openvino(models, name):
    pytest.importorskip("onnxruntime")
    entry = model(name)
    batch = pictures(entry)
    openvino, onnxruntime = Session(entry)(batch), Session(entry, engine="onnxruntime")(batch)
    assert openvino.keys() == onnxruntime.keys()
    for output, values in openvino.items():
        np.testing.assert_allclose(values, onnxruntime[output], rtol=1e-3, atol=1e-4)


def test_a_steady_session_answers_pictures_of_all_sizes_as_any_other(models):
    entry = model("face_detection_yunet_2023mar")
    sizes = [(64, 96), (96, 64), (32, 32), (64, 64), (96, 96), (32, 64)]  # more than get a graph of their own
    random = np.random.default_rng(0)
    batches = [random.integers(0, 256, (1 + turn % 2, *sizes[turn % 6], 3), dtype=np.uint8) for turn in range(18)]
    session, steady = Session(entry, streams=2), Session(entry, streams=2, steady=True)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(steady, batches))
    for batch, outputs in zip(batches, found, strict=True):
        for name, expected in session(batch).items():
            np.testing.assert_allclose(outputs[name], expected, rtol=1e-4, atol=1e-4)


def test_same_session_from_many_threads(models):
    entry = model("open-closed-eye-0001")
    session = Session(entry)
    batches = [pictures(entry, count=1 + seed % 3, seed=seed) for seed in range(24)]
    expected = [session(batch)["19"] for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda batch: session(batch)["19"], batches))
    for one, other in zip(expected, found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_outputs_are_not_overwritten_by_the_next_run(models):
    entry = model("open-closed-eye-0001")
    session = Session(entry)
    first = session(pictures(entry, seed=1))["19"]
    before = first.copy()
    session(pictures(entry, seed=2))
    np.testing.assert_array_equal(first, before)


@pytest.fixture
def setting(monkeypatch):
    def choose(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"MIEN_{name.upper()}", str(value))
        settings.cache_clear()

    yield choose
    settings.cache_clear()


def test_gpu_that_is_not_there_is_an_error_not_a_slow_surprise(models, setting):
    with pytest.raises(MissingError, match="MIEN_ALLOW_SLOWER") as caught:
        Session(model("face-reidentification-retail-0095"), device="gpu")
    assert caught.value.code == "device_missing"


def test_gpu_that_is_not_there_is_a_warning_when_allowed(models, setting, caplog):
    setting(allow_slower=1)
    session = Session(model("face-reidentification-retail-0095"), device="gpu")
    assert session.device == "cpu"
    assert "on the CPU" in caplog.text


def test_normalize_orders_colours_and_axes():
    image = np.zeros((1, 2, 3, 3), np.uint8)
    image[..., 0], image[..., 2] = 200, 100
    takes = PictureInput(size=(2, 3), colour="BGR", mean=(10.0, 0.0, 20.0), scale=(2.0, 1.0, 4.0))
    planes = normalize(image, takes)
    assert planes.shape == (1, 3, 2, 3)
    assert planes[0, :, 0, 0].tolist() == [45.0, 0.0, 45.0]
    assert normalize(image, replace(takes, layout="NHWC")).shape == (1, 2, 3, 3)


def test_open_dimensions_rejects_what_is_no_protobuf():
    with pytest.raises((ValueError, IndexError)):
        open_dimensions(b"\xff\xff\xff not a model", picture=True)


def test_openvino_reports_to_nobody_and_its_converter_can_still_be_imported():
    """In a process of its own: another test's import must not hide what this one does."""
    pytest.importorskip("openvino")
    script = """
import sys
from mien.models.openvino_import import import_openvino
import_openvino().Core()
assert sys.modules["openvino_telemetry"] is None
assert "openvino.tools.ovc" not in sys.modules
from openvino.tools.ovc import telemetry_utils
assert telemetry_utils.tm.__name__ == "openvino.tools.ovc.telemetry_stub", telemetry_utils.tm
"""
    subprocess.run([sys.executable, "-c", script], check=True)
