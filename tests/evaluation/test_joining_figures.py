"""Faces joined to bodies: on the GIFs with people labelled by eye, and on composed clips with made-up bodies."""

import shutil

import numpy as np
import pytest

from mien.evaluation.joining import evaluate, joining_figures
from mien.face.detector import FaceDetector
from mien.media.video import open_video
from mien.person.detector import PersonDetector
from mien.records import Face, Frame, Person


def classroom(index, x, top):
    """Four people who sit: by columns between their seats."""
    return int(np.searchsorted([100, 180, 265], x))


def walking(index, x, top):
    """She is left of him all the time; both come to the front and to the left."""
    return int(x > 300 - 2 * index)


def two_heads(index, x, top):
    return int(x > 225)


def aisle(index, x, top):
    """She who comes in from the front is lower in the picture; of the others he stands left and she right."""
    return 2 if top > 95 else int(x > 335)


@pytest.mark.parametrize(
    ("name", "who"),
    [
        ("classroom", classroom),
        ("face-demographics-walking", walking),
        ("head-pose-face-detection-female-and-male", two_heads),
        ("store-aisle-detection", aisle),
    ],
)
def test_faces_of_the_gifs_are_joined_to_their_bodies(data, models, name, who):
    faces, people = FaceDetector(long_side=640, score=0.3), PersonDetector(score=0.1)

    def truth(index, finding):
        return who(index, float(finding.box[0] + finding.box[2]) / 2, float(finding.box[1]))

    with open_video(data(f"video/{name}.gif")) as video:
        looked = ((frame, faces(frame.image), people(frame.image)) for frame in video)
        figures = joining_figures(looked, truth, truth, frame_rate=video.frame_rate)
    assert figures.faces > 20
    assert figures.wrong == 0
    assert figures.joined >= 0.9 * figures.faces


def test_faces_of_a_composed_clip_are_joined_to_their_bodies(data, models, tmp_path):
    for number, picture in enumerate(sorted(data("lfw_view1/images").rglob("*.jpg"))[:4]):
        (tmp_path / str(number)).mkdir()
        for copy in range(2 if number < 2 else 1):
            shutil.copy(picture, tmp_path / str(number) / f"{copy}.jpg")
    figures = evaluate(tmp_path, most=2, seed=3)
    assert figures["faces"] > 100
    assert figures["right_rate"] >= 0.98
    assert figures["joined_rate"] >= 0.85
    assert figures["joined"] == figures["right"] + figures["wrong"]


def test_a_face_on_another_body_counts_as_wrong():
    """The truth is told the other way round: everything that is joined is wrong."""
    body, face = np.float32([30, 10, 70, 110]), np.float32([45, 14, 55, 27])
    found = [Face(face, 0.9, np.zeros((5, 2), np.float32))], [Person(body, 0.9), Person(body + [90, 0] * 2, 0.9)]
    frames = [(Frame(np.zeros((120, 200, 3), np.uint8), index, index / 25), *found) for index in range(10)]
    figures = joining_figures(frames, lambda index, face: 1, lambda index, body: int(body.box[0] > 60), frame_rate=25)
    assert (figures.faces, figures.right, figures.wrong) == (10, 0, 9)
    assert figures.to_dict()["right_rate"] == 0
