"""The starter pack where it is installed: its entries, its files, and the main job with nothing else at hand."""

import pytest

from mien.cli.main import main
from mien.errors import MissingError
from mien.face.detector import FaceDetector
from mien.identity import pictures
from mien.models.catalogue import catalogue
from mien.models.store import verify
from mien.settings import settings

pytest.importorskip("mien_starter", reason="needs the distribution mien-starter: pip install ./starter")
ENTRIES = [entry for entry in catalogue().values() if entry.pack == "starter"]


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A machine with the starter pack and no other model, and no way to any."""
    monkeypatch.delenv("MIEN_MODEL_MIRROR", raising=False)
    monkeypatch.setenv("MIEN_MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("MIEN_OFFLINE", "1")
    monkeypatch.setenv("MIEN_PACK", "standard")  # `mien demo` changes it; restored after the test
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("MIEN_KEY_FILE", str(tmp_path / "master.key"))
    caches = settings, pictures._analyzer  # networks that another test has loaded are not at hand here
    for cache in caches:
        cache.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    for cache in caches:
        cache.cache_clear()


def test_the_pack_is_small_and_does_the_main_job():
    assert sum(entry.bytes for entry in ENTRIES) <= 16_000_000
    tasks = {"face-detection", "face-embedding", "person-detection", "person-embedding"}
    assert tasks == {entry.task for entry in ENTRIES}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_says_that_it_is_for_research_only_and_has_a_card_and_a_recipe(entry):
    assert entry.licence == "LicenseRef-research-only"
    assert entry.training_terms.startswith("research only")
    assert set(verify(entry).values()) == {"ok"}
    assert entry.place is not None
    card = (entry.place / "model.md").read_text("utf-8")
    recipe = entry.name.replace("-", "_")
    assert f'name = "{recipe}"' in card
    for file in entry.files:
        assert file.sha256 in card


def test_the_demo_falls_back_on_it_with_a_notice(alone, capsys):
    skimage = pytest.importorskip("skimage.data", reason="needs scikit-image")
    import PIL.Image

    from mien.media.writer import VideoWriter

    picture = skimage.astronaut()
    faces = alone / "faces" / "Eileen Collins"
    faces.mkdir(parents=True)
    PIL.Image.fromarray(picture).save(faces / "portrait.png")
    with VideoWriter(alone / "clip.mp4", 25, 512, 512) as writer:
        for _ in range(15):
            writer.write(picture)
    words = ["--source", alone / "clip.mp4", "--faces", alone / "faces", "--output", alone / "out"]
    code = main(["demo", *map(str, words)])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "starter pack" in err
    assert "saw Eileen Collins" in out


def test_without_being_asked_for_it_is_not_used(alone):
    with pytest.raises(MissingError) as caught:
        FaceDetector()
    assert caught.value.code == "model_missing"
