from __future__ import annotations

import numpy as np
import pytest

from mien.errors import UsageError
from mien.media.image import read
from mien.person.crop import body_crop
from mien.person.embedder import PersonEmbedder, person_embedder_identity
from mien.records import Person

EMBEDDERS = ("person-reidentification-retail-0277", "person-reidentification-retail-0287")


@pytest.fixture(scope="module")
def walkers(data):
    """Of twelve people of the Market-1501 sample two pictures each, from different cameras."""
    by_person: dict[str, dict[str, object]] = {}
    for path in sorted(data("market_dev").rglob("*.jpg")):
        person, camera = path.name.split("_")[:2]
        by_person.setdefault(person, {}).setdefault(camera[:2], path)
    chosen = [list(cameras.values())[:2] for cameras in by_person.values() if len(cameras) > 1][:12]
    return [read(pair[0]) for pair in chosen], [read(pair[1]) for pair in chosen]


@pytest.mark.parametrize("name", EMBEDDERS)
def test_people_are_found_again_in_another_camera(models, walkers, name):
    """All of Market-1501 is measured by `mien evaluate reid`."""
    embedder = PersonEmbedder(name)
    probes, gallery = (embedder.vectors(pictures) for pictures in walkers)
    np.testing.assert_allclose(np.linalg.norm(probes, axis=1), 1, rtol=1e-5)
    assert ((probes @ gallery.T).argmax(1) == np.arange(12)).mean() >= 0.9


def test_templates_carry_model_and_quality(models, walkers):
    embedder = PersonEmbedder()
    (first, second) = embedder.embed(walkers[0][:2], [0.25, 0.75])
    assert embedder.name == EMBEDDERS[0]
    assert (first.fingerprint, first.quality, second.quality) == (embedder.fingerprint, 0.25, 0.75)
    assert first.vector.shape == (embedder.dimension,) == (256,)
    assert embedder.embed([], []) == []
    assert embedder.vectors([]).shape == (0, 256)


def test_a_person_of_a_picture_is_embedded_as_its_crop(models, walkers):
    embedder = PersonEmbedder()
    scene = np.full((400, 500, 3), 90, np.uint8)
    scene[100:228, 200:264] = walkers[0][0]
    person = Person(np.float32([200, 100, 264, 228]), 0.8)
    (template,) = embedder(scene, [person])
    assert embedder.crop(scene, person).shape == (256, 128, 3)
    np.testing.assert_allclose(template.vector, embedder.vectors(walkers[0][:1])[0], atol=1e-5)
    assert template.quality == 0.8


def test_fingerprints_tell_models_apart_without_loading_them():
    names, prints = zip(*(person_embedder_identity(name) for name in (*EMBEDDERS, None)), strict=True)
    assert names == (*EMBEDDERS, EMBEDDERS[0])
    assert prints[0] != prints[1]
    assert prints[0] == prints[2]
    assert {len(value) for value in prints} == {16}


def test_a_model_for_faces_is_refused():
    with pytest.raises(UsageError, match="person-embedding") as caught:
        PersonEmbedder("mobilefacenet-foamliu")
    assert caught.value.code == "model_wrong_task"


def test_crop_keeps_to_the_picture():
    image = np.zeros((20, 30, 3), np.uint8)
    image[:, 20:] = 200
    assert body_crop(image, np.float32([20, 5, 90, 15]), 8, 4).min() == 200
    assert body_crop(image, np.float32([-40, -40, 10, 10]), 8, 4).max() == 0


@pytest.mark.parametrize(
    "box", [[50, 5, 60, 9], [5, 5, 5, 9], [9, 9, 5, 5], [np.nan, 0, 5, 5], [-9, -9, -1, -1], [0, 0, np.inf, -1]]
)
def test_a_box_beside_the_picture_gives_a_black_crop(box):
    crop = body_crop(np.full((20, 30, 3), 255, np.uint8), np.float32(box), 8, 4)
    assert crop.shape == (8, 4, 3)
    assert crop.dtype == np.uint8
