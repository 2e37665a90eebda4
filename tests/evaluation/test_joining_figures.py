"""Faces joined to bodies: on the GIFs with people labelled by eye, and on composed clips with made-up bodies."""

import numpy as np
import pytest

from mien.evaluation.clips import Actor, compose
from mien.evaluation.joining import joining_figures, made_up_bodies, nearest_truth
from mien.face.detector import FaceDetector
from mien.media.video import open_video
from mien.person.detector import PersonDetector
from mien.records import Frame


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


def test_faces_of_a_composed_clip_are_joined_to_their_bodies(data, models):
    folder, generator = data("lfw_view1"), np.random.default_rng(5)
    pictures = sorted(folder.rglob("*.jpg"))[:9]
    actors = [Actor(picture.stem, [picture], enrolled=False) for picture in pictures]
    detector, faces, bodies = FaceDetector(long_side=480, score=0.3), {}, {}

    def looked():
        for frame in compose(actors, width=640, height=360, frame_rate=12.5, seconds=3.0, seed=3):
            faces[frame.index], bodies[frame.index] = frame.boxes, made_up_bodies(frame, generator)
            yield (
                Frame(frame.image, frame.index, frame.time),
                detector(frame.image),
                list(bodies[frame.index].values()),
            )

    figures = joining_figures(
        looked(),
        lambda index, face: nearest_truth(faces[index], face.box),
        lambda index, body: next(actor for actor, other in bodies[index].items() if other is body),
        frame_rate=12.5,
    )
    assert figures.faces > 150
    assert figures.right >= 0.98 * figures.joined
    assert figures.joined >= 0.85 * figures.faces
    assert figures.to_dict()["right_rate"] == figures.right / figures.joined
