import hashlib
import shutil

import numpy as np
import pytest

from mien.errors import BadInputError, MissingError
from mien.face.detector import FaceDetector
from mien.identity.operating_point import load_calibration
from mien.models.catalogue import catalogue, model
from mien.models.store import is_present, pull, read
from mien.settings import settings

ENTRY = """
[{name}]
task = "face-detection"
outputs = "yunet"
pack = "standard"
publisher = "we"
card = "card.md"
licence = "MIT"
training_data = "none"
training_terms = "none"
summary = "a copy"
precision = "fp32"
input = {{ colour = "BGR", multiple = 32 }}
files = [{{ name = "net.onnx", bytes = {bytes}, sha256 = "{sha256}", url = "" }}]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """`MIEN_MODELS`, empty, with a catalogue that is read anew."""
    monkeypatch.setenv("MIEN_MODELS", str(tmp_path))
    settings.cache_clear()
    catalogue.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()
    catalogue.cache_clear()


def add(folder, name, content):
    place = folder / name
    place.mkdir()
    (place / "net.onnx").write_bytes(content)
    (place / "model.toml").write_text(
        ENTRY.format(name=name, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    )
    return place


def test_a_model_of_the_users_own_folder_is_used_by_its_name(folder, models):
    (published,) = (models / "face_detection_yunet_2023mar").glob("*.onnx")
    add(folder, "my-yunet", published.read_bytes())
    entry = model("my-yunet")
    assert entry.pack == "optional"  # whatever it says itself: the standard pack is ours to choose
    assert is_present(entry)
    picture = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    ours, theirs = (FaceDetector(name, score=0.01)(picture) for name in ("my-yunet", None))
    assert [face.score for face in ours] == [face.score for face in theirs]
    assert pull(entry) == [folder / "my-yunet" / "net.onnx"]


def test_a_changed_file_is_not_loaded(folder):
    place = add(folder, "mine", b"network")
    (place / "net.onnx").write_bytes(b"nftwork")
    with pytest.raises(MissingError, match=r"net\.onnx"):
        read(model("mine"))


def test_a_calibration_lies_in_the_models_folder(folder):
    place = add(folder, "mine", b"network")
    with pytest.raises(MissingError, match=r"verification\.json"):
        load_calibration("mine", bytes(16))
    shutil.copy(place / "model.toml", place / "verification.json")
    with pytest.raises(BadInputError, match="is no calibration"):
        load_calibration("mine", bytes(16))


def test_a_name_that_is_taken_is_an_error(folder):
    add(folder, "yolox-nano", b"network")
    with pytest.raises(BadInputError, match="rename it"):
        catalogue()


@pytest.mark.parametrize("text", ["", "[a]\n[b]\n", "task = 3", "[a]\ntask = 'x'", "\x00", "[a]\nunheard_of = 1"])
def test_an_entry_that_cannot_be_read_names_the_file(folder, text):
    (folder / "broken").mkdir()
    (folder / "broken" / "model.toml").write_text(text)
    with pytest.raises(BadInputError, match="broken"):
        catalogue()
