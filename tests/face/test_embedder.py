from dataclasses import replace

import numpy as np
import pytest

from mien.errors import UsageError
from mien.face.detector import FaceDetector
from mien.face.embedder import FaceEmbedder, embedder_identity
from mien.media.image import read
from mien.models.catalogue import model

NAMES = ["face-reidentification-retail-0095", "mobilefacenet-foamliu"]


@pytest.fixture(scope="module", params=NAMES)
def embedder(models, request):
    return FaceEmbedder(request.param)


@pytest.fixture(scope="module")
def pairs(models, data):
    """Two pictures each of twelve people, with their largest faces."""
    detector = FaceDetector()
    people = [sorted(folder.glob("*.jpg"))[:2] for folder in sorted(data("lfw_view1/images").iterdir())]
    paths = [path for pictures in people if len(pictures) == 2 for path in pictures][:24]
    images = [read(path) for path in paths]
    faces = [max(detector(image), key=lambda face: face.box[2] - face.box[0]) for image in images]
    return images, faces


def test_two_pictures_of_one_person_are_more_alike_than_of_two(embedder, pairs):
    vectors = np.stack([template.vector for template in embedder.batch(*pairs)])
    similarity = vectors @ vectors.T
    mated = np.array([similarity[i, i + 1] for i in range(0, 24, 2)])
    others = similarity[np.arange(24)[:, None] // 2 != np.arange(24) // 2]
    assert np.median(mated) > others.max()
    assert abs(np.median(others)) < 0.15


def test_a_batch_is_what_one_by_one_is(embedder, pairs):
    images, faces = pairs[0][:3], pairs[1][:3]
    together = embedder.batch(images, faces)
    for image, face, template in zip(images, faces, together, strict=True):
        (alone,) = embedder(image, [face])
        assert alone.vector @ template.vector > 0.999
        assert template.vector.shape == (embedder.dimension,)
        assert template.vector.dtype == np.float32
        assert np.linalg.norm(template.vector) == pytest.approx(1, abs=1e-5)
        assert template.fingerprint == embedder.fingerprint
    assert embedder(images[0], []) == []


def test_the_fingerprint_names_all_that_shapes_the_space(embedder):
    entry = model(embedder.name)
    other = replace(entry.alignment, flip_average=not entry.alignment.flip_average)
    assert embedder_identity(embedder.name) == (embedder.name, embedder.fingerprint)
    assert FaceEmbedder(embedder.name, alignment=other).fingerprint != embedder.fingerprint
    assert len(embedder.fingerprint) == 16


def test_the_embedders_have_spaces_of_their_own():
    assert len({embedder_identity(name)[1] for name in NAMES}) == 2
    assert embedder_identity(None) == embedder_identity(NAMES[0])


def test_what_is_no_embedder_is_refused(models):
    for make in (FaceEmbedder, embedder_identity):
        with pytest.raises(UsageError, match="not for face-embedding"):
            make("head-pose-estimation-adas-0001")
        with pytest.raises(UsageError, match="no model is called"):
            make("facenet")
