"""Faces of pictures, upright and in place, found once."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from mien.errors import BadInputError
from mien.face.align import TEMPLATES
from mien.face.detector import FaceDetector
from mien.training.data import aligned_faces as module
from mien.training.data.aligned_faces import AlignedFaces
from mien.training.data.pictures import PictureFiles

pytestmark = pytest.mark.usefixtures("models")


@pytest.fixture
def faces(data) -> PictureFiles:
    folder = data("utk_dev")
    names = sorted(path.name for path in folder.glob("*.jpg"))[:6]
    return PictureFiles(folder, names, {})


def test_crops_hold_a_face_whose_landmarks_are_the_templates(faces, tmp_path):
    found = AlignedFaces([faces], str(tmp_path), size=112)
    assert len(found) >= 5
    assert found.labels == {}
    detector = FaceDetector()
    offsets = []
    for index in range(len(found)):
        crop = found.picture(index)
        assert crop.shape == (112, 112, 3)
        # A crop is all face: with a margin the detector sees what it is used to.
        seen = detector(np.pad(crop, ((40, 40), (40, 40), (0, 0)), mode="edge"))
        if seen:
            offsets.append(np.abs(seen[0].landmarks - 40 - TEMPLATES["retail-0095"] * 112).mean())
    assert len(offsets) >= 4
    assert np.median(offsets) < 6


def test_a_second_start_finds_the_crops_on_disk(faces, tmp_path, monkeypatch):
    first = AlignedFaces([faces], str(tmp_path))
    monkeypatch.setattr(module, "FaceDetector", lambda: pytest.fail("the faces were looked for again"))
    second = AlignedFaces([faces], str(tmp_path))
    np.testing.assert_array_equal(first.picture(0), second.picture(0))
    assert first.name(0) == second.name(0)
    with pytest.raises(pytest.fail.Exception):
        AlignedFaces([faces], str(tmp_path), smallest=50.0)


def test_pictures_that_cannot_be_read_are_left_out(faces, tmp_path, caplog):
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "a.jpg").write_bytes(b"no picture")
    (broken / "b.jpg").write_bytes((faces.root / faces.names[0]).read_bytes())
    found = AlignedFaces([PictureFiles(broken, ["a.jpg", "b.jpg"], {})], str(tmp_path / "crops"))
    assert len(found) == 1
    assert "a.jpg" in caplog.text


def test_no_face_at_all_is_an_error(tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64), (90, 120, 90)).save(tmp_path / "green.png")
    with pytest.raises(BadInputError, match="no face of 24 pixels or more was found in 1 pictures") as error:
        AlignedFaces([PictureFiles(tmp_path, ["green.png"], {})], str(tmp_path / "crops"))
    assert error.value.code == "no_faces"


def test_a_set_that_must_not_be_trained_on_stays_forbidden(faces, tmp_path):
    closed = PictureFiles(faces.root, faces.names, {}, forbidden="a benchmark")
    assert AlignedFaces([faces, closed], str(tmp_path)).forbidden == "a benchmark"
