"""The analyzers together on the astronaut, and against what the data sets say about their pictures."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from mien.errors import BadInputError, UsageError
from mien.face.analyzer import FEATURES, FaceAnalyzer
from mien.media.image import read


@pytest.fixture(scope="module")
def astronaut(models):
    pictures = pytest.importorskip("skimage.data", reason="needs scikit-image")
    return np.ascontiguousarray(pictures.astronaut())


@pytest.fixture(scope="module")
def everything(models):
    return FaceAnalyzer(FEATURES)


def turned(image, degrees):
    """Turned clockwise around its middle."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def test_faces_come_largest_first_with_all_that_was_asked_for(everything, astronaut):
    small = np.zeros_like(astronaut)
    small[:256, :256] = astronaut[::2, ::2]
    first, second = everything(np.hstack([small, astronaut]))
    assert first.box[0] > 512 > second.box[2]
    for face in (first, second):
        assert None not in (face.pose, face.age, face.gender, face.quality, face.eyes, face.template)
        assert face.mesh.shape == (468, 3)
        assert np.linalg.norm(face.embedding) == pytest.approx(1, abs=1e-5)
        assert face.template.quality == face.quality
    assert first.embedding @ second.embedding > 0.8


def test_only_what_was_asked_for_is_there(models, astronaut):
    (face,) = FaceAnalyzer(())(astronaut)
    assert [getattr(face, name) for name in ("pose", "age", "gender", "quality", "eyes", "mesh", "template")] == [
        None
    ] * 7


def test_an_unknown_feature_is_named(models):
    with pytest.raises(UsageError, match="beauty"):
        FaceAnalyzer(("pose", "beauty"))


def test_a_picture_without_a_face_has_none(everything):
    assert everything(np.zeros((1, 1, 3), np.uint8)) == []
    with pytest.raises(BadInputError):
        everything(np.zeros((4, 4), np.float32))


def test_threads_get_what_one_gets(everything, astronaut):
    expected = everything(astronaut)[0].to_dict()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: everything(astronaut)[0].to_dict(), range(8)))
    assert all(record == expected for record in found)


@pytest.mark.parametrize("degrees", [-25, 25])
def test_roll_is_positive_clockwise(everything, astronaut, degrees):
    upright, tilted = everything(astronaut)[0], everything(turned(astronaut, degrees))[0]
    assert tilted.pose.roll - upright.pose.roll == pytest.approx(degrees, abs=8)


def test_yaw_is_positive_to_the_right_of_the_picture(everything, data):
    sides, yaws = [], []
    for path in sorted(data("lfw_view1/images").glob("*/*.jpg"))[:40]:
        face = everything(read(path))[0]
        left_eye, right_eye, nose = face.landmarks[:3, 0]
        sides.append((nose - (left_eye + right_eye) / 2) / (right_eye - left_eye))
        yaws.append(face.pose.yaw)
    assert np.corrcoef(sides, yaws)[0, 1] > 0.8


def test_a_closed_eye_is_told_from_an_open_one(everything, astronaut):
    (face,) = everything(astronaut)
    assert min(face.eyes.left_open, face.eyes.right_open) > 0.8
    for side in (0, 1):
        x, y = face.landmarks[side].round().astype(int).tolist()
        closed = astronaut.copy()  # her cheek for a lid, and a line of lashes
        closed[y - 9 : y + 10, x - 16 : x + 17] = astronaut[y + 19 : y + 38, x - 16 : x + 17]
        cv2.ellipse(closed, (x, y - 1), (11, 4), 0, 10, 170, (60, 35, 30), 2, cv2.LINE_AA)
        eyes = everything.complete(closed, [face])[0].eyes
        assert (eyes.left_open < 0.5, eyes.right_open < 0.5) == (side == 0, side == 1)


@pytest.mark.parametrize("degrees", [0, 30])
def test_the_mesh_lies_on_the_face(everything, astronaut, degrees):
    face = everything(turned(astronaut, degrees))[0]
    size = face.box[2] - face.box[0]
    nose_tip, mouth = face.mesh[1, :2], face.mesh[[61, 291], :2]
    assert np.linalg.norm(nose_tip - face.landmarks[2]) < 0.12 * size
    assert np.linalg.norm(mouth - face.landmarks[3:], axis=1).max() < 0.12 * size
    assert face.mesh[1, 2] < face.mesh[[234, 454], 2].min()  # the nose is nearer than the ears


def test_age_and_gender_of_adults(everything, data):
    ages, genders = [], []
    for path in sorted(data("utk_dev").glob("*.jpg"))[::4]:
        age, gender = map(int, path.name.split("_")[:2])
        faces = everything(read(path)) if 18 <= age <= 75 else []
        if faces:
            ages.append(faces[0].age - age)
            genders.append(faces[0].gender == ("male", "female")[gender])
    assert len(ages) >= 20
    assert np.abs(ages).mean() < 10
    assert np.mean(genders) > 0.8
