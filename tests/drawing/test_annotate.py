import itertools

import numpy as np
import pytest

from mien.drawing.annotate import FOUND_COLOUR, STATE_COLOURS, Label, annotate, draw_faces
from mien.errors import UsageError
from mien.records import Face

# Machado, Oliveira, Fernandes, "A physiologically-based model for simulation of color vision deficiency", 2009,
# severity 1.0, on linear RGB
DEFICIENCIES = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def face(left, top, right, bottom, **more):
    box = np.array([left, top, right, bottom], np.float32)
    middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    size[~np.isfinite(size)] = 0
    middle[~np.isfinite(middle)] = 0
    points = np.array([[-0.2, -0.15], [0.2, -0.15], [0, 0.05], [-0.15, 0.25], [0.15, 0.25]]) * size + middle
    return Face(box, 0.9, points.astype(np.float32), **more)


def marked(image, before):
    return (image != before).any(2)


def colour_count(image, colour):
    return int((image == np.array(colour, np.uint8)).all(2).sum())


@pytest.fixture
def grey():
    return np.full((720, 1280, 3), 90, np.uint8)


def test_the_original_stays_and_the_copy_is_marked(grey):
    drawn = draw_faces(grey, [face(300, 200, 420, 350, track_id=1)])
    assert (grey == 90).all()
    assert drawn.shape == grey.shape
    assert drawn.flags.c_contiguous
    assert colour_count(drawn, FOUND_COLOUR) > 300


def test_in_place_gives_the_same_picture(grey):
    faces = [face(300, 200, 420, 350, track_id=1), face(700, 90, 900, 300)]
    labels = [Label("recognized", "Ada", 0.8), Label("unknown")]
    expected = draw_faces(grey, faces, labels)
    annotate(grey, faces, labels)
    assert (grey == expected).all()


def test_each_state_has_its_colour_and_its_shape(grey):
    box = face(300, 200, 420, 350)
    drawn = {state: draw_faces(grey, [box], [Label(state)]) for state in STATE_COLOURS}
    for state, image in drawn.items():
        for other, colour in STATE_COLOURS.items():
            assert (colour_count(image, colour) > 0) == (other == state)
    # told apart without any colour: how much of the box's left side is drawn
    side = {s: (image[210:340, 297:304] == STATE_COLOURS[s]).all(2).any(1).mean() for s, image in drawn.items()}
    assert side["recognized"] == 1
    assert 0.2 < side["unknown"] < 0.6
    assert 0.35 < side["undecided"] < 0.7
    middle = {s: (image[250:300, 297:304] == STATE_COLOURS[s]).all(2).any() for s, image in drawn.items()}
    assert not middle["unknown"]
    assert middle["undecided"]


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_states_differ_for_colour_blind_eyes(deficiency):
    from skimage.color import deltaE_ciede2000, rgb2lab

    def seen(colour):
        value = np.array(colour) / 255
        linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
        linear = np.clip(np.array(DEFICIENCIES[deficiency]) @ linear, 0, 1)
        value = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
        return rgb2lab(value[None, None])[0, 0]

    for first, second in itertools.combinations(STATE_COLOURS.values(), 2):
        assert deltaE_ciede2000(seen(first), seen(second)) > 12


def test_labels_are_readable():
    def luminance(colour):
        value = np.array(colour) / 255
        return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]

    for colour in (*STATE_COLOURS.values(), FOUND_COLOUR):
        assert (luminance(colour) + 0.05) / 0.05 > 7  # WCAG 2.2, enhanced contrast, with black ink


def test_captions_say_who(grey):
    box = face(300, 200, 420, 350, track_id=7)

    def caption(face, *labels):
        image = draw_faces(grey, [face], labels or None)
        return image[150:197, 290:700]

    plain = caption(box, Label("undecided"))
    unknown = caption(box, Label("unknown"))
    ada = caption(box, Label("recognized", "Ada", 0.81))
    assert (
        len({image.tobytes() for image in (plain, unknown, ada, caption(box, Label("recognized", "Ada", 0.82)))}) == 4
    )
    assert marked(ada, np.uint8(90)).sum() > marked(plain, np.uint8(90)).sum()
    assert marked(caption(face(300, 200, 420, 350, age=34.2, gender="female")), np.uint8(90)).sum() > 500
    assert not marked(caption(face(300, 200, 420, 350)), np.uint8(90)).any()


def test_line_and_letters_grow_with_the_picture():
    def widths(scale):
        image = np.full((360 * scale, 640 * scale, 3), 90, np.uint8)
        box = face(*(value * scale for value in (200, 120, 320, 260)), track_id=3)
        drawn = draw_faces(image, [box], [Label("recognized", "Ada", 0.9)])
        row = (drawn[190 * scale] == STATE_COLOURS["recognized"]).all(1)
        label = (drawn[: 118 * scale] != 90).any((1, 2)).sum()
        return int(row[: 260 * scale].sum()), int(label)

    small, large = widths(1), widths(6)
    assert small[0] >= 1
    assert large[0] >= 5 * small[0]
    assert large[1] == pytest.approx(6 * small[1], rel=0.35)


def test_labels_do_not_cover_each_other(grey):
    faces = [face(300, 200, 420, 350, track_id=1), face(310, 205, 430, 355, track_id=2)]
    labels = [Label("recognized", "Ada", 0.9), Label("unknown")]
    both = draw_faces(grey, faces, labels)
    for one, label in zip(faces, labels, strict=True):
        alone = draw_faces(grey, [one], [label])
        paper = colour_count(alone, STATE_COLOURS[label.state])
        assert colour_count(both, STATE_COLOURS[label.state]) > 0.8 * paper


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 400, 3), (400, 1, 3), (16, 16, 3), (97, 131, 3)])
@pytest.mark.parametrize(
    "box",
    [
        (-50, -50, 20, 20),
        (-1e9, -1e9, 1e9, 1e9),
        (10, 10, 10, 10),
        (50, 50, 40, 40),
        (500, 500, 600, 600),
        (float("nan"), 0, 5, 5),
        (0, 0, float("inf"), 5),
    ],
)
def test_odd_boxes_and_small_pictures(shape, box):
    image = np.zeros(shape, np.uint8)
    for state in STATE_COLOURS:
        assert (
            draw_faces(image, [face(*box, track_id=12345)], [Label(state, "Somebody with a name", 0.5)]).shape == shape
        )


def test_no_faces_no_marks(grey):
    assert (draw_faces(grey, []) == grey).all()
    assert (draw_faces(grey, [], []) == grey).all()


def test_a_box_partly_outside_is_drawn_inside(grey):
    drawn = draw_faces(grey, [face(-40, -40, 120, 150, track_id=4)], [Label("unknown")])
    assert marked(drawn, grey).any()


def test_mesh_points_are_drawn(grey):
    mesh = np.column_stack([np.linspace(-20, 1500, 468), np.full(468, 600.0), np.zeros(468)]).astype(np.float32)
    drawn = draw_faces(grey, [face(300, 200, 420, 350, mesh=mesh)])
    assert colour_count(drawn[600:601], FOUND_COLOUR) > 300


def test_a_reversed_view_can_be_drawn_on(grey):
    assert draw_faces(grey[:, ::-1], [face(300, 200, 420, 350)]).flags.c_contiguous


def test_labels_must_match(grey):
    with pytest.raises(UsageError, match="2 labels were given for 1 faces") as caught:
        draw_faces(grey, [face(0, 0, 9, 9)], [Label("unknown"), Label("unknown")])
    assert caught.value.code == "labels_mismatch"
