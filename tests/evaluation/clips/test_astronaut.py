import sys

import numpy as np
import pytest

from mien.errors import MissingError


@pytest.fixture(scope="module")
def astronaut():
    pytest.importorskip("skimage.data", reason="needs scikit-image (pip install 'mien[demo]')")
    from mien.evaluation.clips import astronaut

    return astronaut


@pytest.fixture(scope="module")
def scenery(astronaut):
    return astronaut.build_scenery()


def test_she_is_recognized_on_the_whole_way(astronaut, scenery, models):
    from mien.face.detector import FaceDetector
    from mien.face.embedder import FaceEmbedder

    detector, embedder = FaceDetector(), FaceEmbedder()
    portrait = astronaut._pictures()[0]
    [own] = embedder(portrait, detector(portrait))
    moments = [2.4, 3.8, 4.8, 6.2, 8.6, 9.6, 12.0]  # enters, comes near, turns both ways, is small, dark, leaves
    for second in moments:
        image = astronaut.draw(scenery, second, present=True)
        place = astronaut.flight(second)
        faces = detector(image)
        [hers] = [face for face in faces if np.hypot(*((face.box[:2] + face.box[2:]) / 2 - (place.x, place.y))) < 40]
        [template] = embedder(image, [hers])
        assert float(template.vector @ own.vector) > 0.6, second
        assert hers.box[2] - hers.box[0] == pytest.approx(90 * place.scale, rel=0.3)


def test_the_other_clip_is_the_same_sky_without_her(astronaut, scenery):
    def changed(second):
        alone, both = (astronaut.draw(scenery, second, present=present) for present in (False, True))
        return (alone != both).any(2).mean()

    assert changed(0.2) == changed(13.8) == 0
    assert 0.2 < changed(3.8) < 0.5


def test_the_sky_and_the_things_move(astronaut, scenery):
    first, later = (astronaut.draw(scenery, second, present=False) for second in (0.0, 10.0))
    assert first.shape == later.shape == (720, 1280, 3)
    assert (first != later).any(2).mean() > 0.5


def test_her_outline_is_clean(scenery):
    cover = scenery.astronaut.cover
    assert cover[60:165, 190:250].min() > 0.99  # the face
    assert cover[:, :8].max() == cover[:40, :140].max() == cover[:200, 330:].max() == 0  # flag, wall and shuttle
    assert cover[-8:].max() == 0  # a soft end instead of the picture's edge


def test_the_flight_is_smooth(astronaut):
    places = [astronaut.flight(second) for second in np.arange(0, 15, 0.04)]
    steps = np.diff([[place.x, place.y, 100 * place.scale, 5 * place.angle] for place in places], axis=0)
    assert np.abs(steps).max() < 40
    assert min(place.gain for place in places) < 0.4
    assert max(place.blur for place in places) > 4
    assert min(place.scale for place in places) < 0.5


def test_files_are_written_and_can_be_read(astronaut, tmp_path, monkeypatch):
    from mien.media.image import read
    from mien.media.video import open_video

    monkeypatch.setattr(astronaut, "SECONDS", 0.4)
    clips = astronaut.write_clips(tmp_path / "deep" / "demo")
    assert read(clips.portrait).shape == (512, 512, 3)
    for path in (clips.with_her, clips.without_her):
        with open_video(path) as video:
            frames = list(video)
        assert len(frames) == 10
        assert frames[0].image.shape == (720, 1280, 3)
        assert frames[-1].time == pytest.approx(0.36, abs=0.01)


def test_without_scikit_image_the_error_names_the_remedy(monkeypatch, tmp_path):
    from mien.evaluation.clips.astronaut import write_clips

    monkeypatch.setitem(sys.modules, "skimage", None)
    with pytest.raises(MissingError, match=r"pip install 'mien\[demo\]'") as caught:
        write_clips(tmp_path / "demo")
    assert caught.value.code == "dependency_missing"
    assert not (tmp_path / "demo").exists()
