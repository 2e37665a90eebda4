import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.scene.joining import Joiner, fit


def standing(x, top=10.0, height=100.0):
    """A body, and where its face is."""
    body = [x - 0.2 * height, top, x + 0.2 * height, top + height]
    face = [x - 0.05 * height, top + 0.03 * height, x + 0.05 * height, top + 0.16 * height]
    return face, body


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def test_a_face_fits_its_own_body_and_no_other():
    pairs = [standing(50), standing(100), standing(75, top=40)]
    values = fit(boxes(*(face for face, _ in pairs)), boxes(*(body for _, body in pairs)))
    assert (values.argmax(1) == [0, 1, 2]).all()
    assert (np.diag(values) > 2).all()
    assert (values[~np.eye(3, dtype=bool)] < 0).all()


def test_a_face_fits_a_body_that_a_table_cuts_off():
    face, body = standing(50)
    half = [*body[:3], body[1] + 40]
    assert fit(boxes(face), boxes(half))[0, 0] == fit(boxes(face), boxes(body))[0, 0] > 2


def test_a_face_larger_than_a_body_or_a_speck_belongs_to_none():
    _, body = standing(50)
    assert fit(boxes([0, 0, 200, 200], [50, 14, 51, 15]), boxes(body)).max() < 0


def test_two_frames_join_and_one_does_not():
    joiner, (face, body) = Joiner(), standing(50)
    assert joiner.update([1], boxes(face), [2], boxes(body)) == {}
    assert joiner.update([1], boxes(face), [2], boxes(body)) == {1: 2}


def test_a_pair_stays_while_the_face_is_turned_away_and_goes_with_its_body():
    joiner, (face, body) = Joiner(), standing(50)
    for _ in range(3):
        joiner.update([1], boxes(face), [2], boxes(body))
    for _ in range(50):
        joiner.update([], boxes(), [2], boxes(body))
    assert joiner.body_of(1) == 2
    joiner.end([2])
    assert joiner.body_of(1) is None


def test_who_passes_in_front_does_not_take_the_face():
    joiner, (face, body) = Joiner(), standing(100)
    for _ in range(10):
        joiner.update([1], boxes(face), [2], boxes(body))
    for step in range(21):
        passing = standing(40 + step * 6, top=8)[1]
        joiner.update([1], boxes(face), [2, 3], boxes(body, passing))
        assert joiner.body_of(1) == 2


def test_each_body_has_one_face_and_the_best_pairs_win():
    joiner, (face, body), (other, _) = Joiner(), standing(100), standing(112)
    for _ in range(5):
        joiner.update([1, 2], boxes(face, other), [3], boxes(body))
    assert joiner.body_of(1) == 3
    assert joiner.body_of(2) is None


def test_a_wrong_start_is_put_right():
    joiner = Joiner()
    (face, own), (_, other) = standing(100), standing(104)
    for _ in range(4):
        joiner.update([1], boxes(face), [3], boxes(other))
    assert joiner.body_of(1) == 3
    for step in range(30):
        joiner.update([1], boxes(face), [2, 3], boxes(own, standing(104 + 4 * step)[1]))
    assert joiner.body_of(1) == 2


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 20)), max_size=6, unique_by=lambda p: p[0])))
def test_no_body_is_ever_that_of_two_faces_in_one_frame(frames):
    joiner = Joiner()
    for frame in frames:
        people = [standing(10.0 * x) for _, x in frame]
        faces, bodies = boxes(*(face for face, _ in people)), boxes(*(body for _, body in people))
        joined = joiner.update([who for who, _ in frame], faces, [100 + who for who, _ in frame], bodies)
        here = [joined[who] for who, _ in frame if who in joined]
        assert len(set(here)) == len(here)
