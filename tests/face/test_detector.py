from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien.face.detector import FaceDetector, decode
from mien.geometry import iou_matrix
from mien.media.image import read

data_module = pytest.importorskip("skimage.data", reason="needs scikit-image for the astronaut's portrait")


@pytest.fixture(scope="module")
def detector(models):
    return FaceDetector()


@pytest.fixture(scope="module")
def astronaut():
    return np.ascontiguousarray(data_module.astronaut())


def largest(faces):
    return max(faces, key=lambda face: face.box[2] - face.box[0])


def test_finds_the_astronaut_where_she_is(detector, astronaut):
    (face,) = detector(astronaut)
    assert face.score > 0.8
    truth = np.array([[174, 65, 272, 191]], np.float32)
    assert iou_matrix(face.box[None], truth)[0, 0] > 0.7
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert left_eye[1] < nose[1] < left_mouth[1]


@pytest.mark.parametrize("width", [20, 30, 60, 300, 700, 1400])
def test_finds_faces_of_all_sizes(detector, astronaut, width):
    """The face is about 95 pixels wide in the portrait; large ones fill the frame, at the cap of 1600 pixels too."""
    scale = width / 95
    patch = astronaut[40:230, 130:320] if width >= 300 else astronaut
    image = cv2.resize(patch, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    found = detector(image)
    assert found, f"a face {width} pixels wide was missed"
    assert largest(found).box[2] - largest(found).box[0] == pytest.approx(width, rel=0.35)


def test_batch_equals_single_pictures_of_mixed_sizes(detector, astronaut):
    images = [astronaut, astronaut[:300, :400], astronaut, np.zeros((7, 9, 3), np.uint8)]
    together = detector.batch(images)
    assert [len(faces) for faces in together] == [1, 1, 1, 0]
    for image, faces in zip(images, together, strict=True):
        for one, other in zip(faces, detector(image), strict=True):
            np.testing.assert_allclose(one.box, other.box, atol=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (33, 31), (3000, 20)])
def test_odd_shapes_are_fine(detector, shape):
    assert detector(np.full((*shape, 3), 128, np.uint8)) == []


def test_long_side_gives_boxes_in_the_pictures_own_pixels(models, astronaut):
    small, own = FaceDetector(long_side=256)(astronaut), FaceDetector()(astronaut)
    assert iou_matrix(small[0].box[None], own[0].box[None])[0, 0] > 0.8


def test_decode_follows_the_grid():
    outputs = {}
    for stride in (8, 16, 32):
        cells = (64 // stride) ** 2
        outputs[f"cls_{stride}"] = np.zeros((1, cells, 1), np.float32)
        outputs[f"obj_{stride}"] = np.zeros((1, cells, 1), np.float32)
        outputs[f"bbox_{stride}"] = np.zeros((1, cells, 4), np.float32)
        outputs[f"kps_{stride}"] = np.zeros((1, cells, 10), np.float32)
    # Row 1, column 2 of stride 16; the box is e wide and 1 high in strides, its centre half a stride right of the cell.
    outputs["cls_16"][0, 1 * 4 + 2], outputs["obj_16"][0, 1 * 4 + 2] = 0.81, 1.0
    outputs["bbox_16"][0, 6] = [0.5, 0, 1, 0]
    (row,) = decode(outputs, 0, 64, 0.5)
    assert row[14] == pytest.approx(0.9)
    half = np.e * 8
    np.testing.assert_allclose(row[:4], [40 - half, 8, 40 + half, 24], rtol=1e-5)
    np.testing.assert_allclose(row[4:6], [32, 16])


def test_wider_sample_is_detected_at_the_published_level(models, data):
    """The full set is measured by `mien evaluate detection`; this guards the sample against regressions."""
    from mien.evaluation.detection import average_precision, read_truth

    folder = data("wider_dev")
    truth = read_truth(folder / "ground_truth.json")
    detector = FaceDetector(long_side=640, score=0.1)
    found = []
    for name in truth.pictures:
        faces = detector(read(folder / "images" / name))
        boxes = np.array([face.box for face in faces]).reshape(-1, 4)
        found.append((boxes, np.array([face.score for face in faces])))
    precision = average_precision(found, truth)
    assert precision["easy"] >= 0.84
    assert precision["medium"] >= 0.78
    assert precision["hard"] >= 0.54
