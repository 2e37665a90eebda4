import numpy as np
import pytest

from mien.drawing.annotate import Label
from mien.drawing.regions import draw_line, draw_zone
from mien.drawing.tracks import colour_of, draw_tracks
from mien.records import Person


def person(track_id=3, box=(100, 60, 140, 160)):
    return Person(np.array(box, np.float32), 0.9, track_id=track_id)


def canvas(height=240, width=320):
    return np.full((height, width, 3), 40, np.uint8)


def test_a_person_has_a_box_a_number_and_a_name_in_the_colour_of_the_track():
    plain, named = canvas(), canvas()
    draw_tracks(plain, [person()], [Label("undecided")])
    draw_tracks(named, [person()], [Label("recognized", "Ada Lovelace", 0.8)])
    assert tuple(plain[110, 100]) == colour_of(3)
    assert (plain[80:140, 110:130] == 40).all()
    papers = [(image[:56] == colour_of(3)).all(2).sum() for image in (plain, named)]
    assert papers[1] > 3 * papers[0] > 0


def test_neighbouring_tracks_differ():
    assert all(colour_of(number) != colour_of(number + 1) for number in range(50))


def test_a_trail_leads_to_where_the_track_is():
    image = canvas()
    draw_tracks(image, [], [], {3: [(20, 200), (120, 200), (220, 200)]})
    drawn = (np.abs(image.astype(int) - colour_of(3)) < 60).all(2)
    assert drawn[200, 30]
    assert drawn[200, 210]
    assert not drawn[:190].any()


@pytest.mark.parametrize("box", [(-500, -500, 9000, 9000), (5000, 5000, 6000, 6000), (10, 10, 10, 10)])
def test_boxes_outside_and_empty_ones_are_drawn_without_harm(box):
    draw_tracks(canvas(), [person(box=box)], [Label("unknown")], {3: [(1e9, -1e9)], 4: []})


def test_a_crowd_fits():
    crowd = [person(number, (number % 20 * 16, number // 20 * 24, number % 20 * 16 + 14, number // 20 * 24 + 22))
             for number in range(200)]  # fmt: skip
    draw_tracks(canvas(), crowd, [Label("undecided")] * 200)


def test_the_arrow_of_a_line_points_forward():
    """From top to bottom forward is to the right; from bottom to top it is to the left."""
    for ends, to_right in (([(0.5, 0.1), (0.5, 0.9)], True), ([(0.5, 0.9), (0.5, 0.1)], False)):
        image = canvas()
        draw_line(image, np.array(ends), "")
        row = (image[110:130] != 40).any((0, 2))
        assert row[166:180].any() == to_right
        assert row[140:154].any() != to_right


def test_a_zone_is_tinted_inside_only():
    image = canvas()
    draw_zone(image, np.array([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]), "zone")
    assert (image[170, 160] > 45).all()
    assert (image[20, 20] == 40).all()
    draw_zone(image, np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]), "z" * 200)
