from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from mien.errors import MissingError
from mien.models import store
from mien.models.catalogue import Model, ModelFile, PictureInput
from mien.settings import settings

CONTENT = b"weights" * 100


def entry(content: bytes = CONTENT, url: str = "https://127.0.0.1:9/none") -> Model:
    file = ModelFile("net.onnx", len(content), hashlib.sha256(content).hexdigest(), url)
    return Model(
        name="net",
        task="face-detection",
        pack="standard",
        publisher="",
        card="",
        licence="",
        training_data="",
        training_terms="",
        summary="",
        precision="fp32",
        input=PictureInput(),
        files=(file,),
    )


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIEN_MODEL_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("MIEN_OFFLINE", "1")
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def put(folder, content):
    (folder / "net").mkdir(parents=True)
    (folder / "net" / "net.onnx").write_bytes(content)


def test_cache_wins_over_mirror_and_mirror_serves_without_a_copy(folders):
    put(folders / "mirror", CONTENT)
    assert store.read(entry()) == {"net.onnx": CONTENT}
    assert not (folders / "cache").exists()
    assert store.is_present(entry())


def test_wrong_bytes_of_the_right_size_are_never_returned(folders):
    put(folders / "cache", CONTENT[:-1] + b"X")
    with pytest.raises(MissingError, match="mien models pull net") as caught:
        store.read(entry())
    assert caught.value.code == "model_missing"
    assert caught.value.exit_code == 4
    assert store.verify(entry())["net.onnx"].startswith("wrong sha256")


def test_good_mirror_heals_a_wrong_cache(folders):
    put(folders / "cache", b"half")
    put(folders / "mirror", CONTENT)
    assert store.read(entry()) == {"net.onnx": CONTENT}
    (path,) = store.pull(entry())
    assert path.read_bytes() == CONTENT
    assert store.verify(entry()) == {"net.onnx": "ok"}


def test_failed_pull_leaves_nothing(folders, monkeypatch):
    monkeypatch.setenv("MIEN_OFFLINE", "0")
    settings.cache_clear()
    with pytest.raises(MissingError, match="does not answer"):
        store.pull(entry())
    assert not list((folders / "cache").rglob("*.onnx*"))


def test_publisher_must_be_asked_over_tls(folders, monkeypatch):
    monkeypatch.setenv("MIEN_OFFLINE", "0")
    settings.cache_clear()
    with pytest.raises(MissingError, match="no address"):
        store.read(replace(entry(), files=(replace(entry().files[0], url="http://127.0.0.1:9/none"),)))


def test_interrupted_write_leaves_no_half_file(folders, monkeypatch):
    put(folders / "mirror", CONTENT)

    def fail(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(store.os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        store.pull(entry())
    assert list((folders / "cache" / "net").iterdir()) == []
