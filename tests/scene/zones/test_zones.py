import pytest

from mien.errors import BadInputError
from mien.scene.zones.rule_parameters import RULE_KINDS, rule_title
from mien.scene.zones.zone_file import Zones, load_zones

GOOD = """
[[line]]
name = "door"
from = [0.78, 0.0]
to   = [0.78, 1.0]
point = "foot"

[[zone]]
name = "counter"
polygon = [[0.1, 0.2], [0.5, 0.2], [0.5, 0.9], [0.1, 0.9]]

[[rule]]
kind = "loitering"
zone = "counter"
seconds = 5

[[rule]]
kind = "running"
"""


@pytest.fixture
def refused(tmp_path):
    """`refused(text)`: the message about a file with this text."""

    def load(text):
        path = tmp_path / "zones.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(BadInputError) as caught:
            load_zones(path)
        assert caught.value.code == "zone_file_invalid"
        assert "zones.toml" in str(caught.value)
        return str(caught.value)

    return load


def polygon(*corners):
    return f'[[zone]]\nname = "z"\npolygon = {[list(corner) for corner in corners]}'


def test_a_file_is_read(tmp_path):
    path = tmp_path / "zones.toml"
    path.write_text(GOOD)
    zones = load_zones(path)
    assert (zones.lines[0].start, zones.lines[0].end, zones.lines[0].point) == ((0.78, 0.0), (0.78, 1.0), "foot")
    assert zones.zones[0].polygon[2] == (0.5, 0.9)
    assert [rule_title(rule) for rule in zones.rules] == ["loitering counter", "running"]
    assert (zones.rules[0].seconds, zones.rules[1].speed) == (5, 1.5)


def test_an_empty_file_has_nothing_to_look_for(tmp_path):
    path = tmp_path / "zones.toml"
    path.write_text("# later\n")
    assert load_zones(path) == Zones()


def test_a_polygon_may_repeat_its_first_corner():
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    closed = Zones.model_validate({"zone": [{"name": "z", "polygon": [*square, square[0]]}]})
    assert closed.zones[0].polygon == tuple(square)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[line", "TOML"),
        (b"\xff\xfe", "TOML"),
        ('[[zones]]\nname = "a"', "did you mean 'zone'"),
        ('[zone]\nname = "a"', "two brackets"),
        ('[[line]]\nname = "a"\nform = [0, 0]\nto = [1, 1]', "did you mean 'from'"),
        ('[[line]]\nname = "a"\nto = [1, 1]', "[[line]] number 1, from is missing"),
        ('[[line]]\nname = "a"\nfrom = [0, 0]\nto = [1, 1.2]', "outside of the picture"),
        ('[[line]]\nname = "a"\nfrom = [0, 0]\nto = [640, 480]', "outside of the picture"),
        ('[[line]]\nname = "a"\nfrom = [0, nan]\nto = [1, 1]', "between 0 and 1"),
        ('[[line]]\nname = "a"\nfrom = [0.5, 0.5]\nto = [0.5, 0.5]', "two different points"),
        ('[[line]]\nname = "a"\nfrom = [0, 0]\nto = [1, 1]\npoint = "head"', "'foot' or 'centre'"),
        ('[[line]]\nname = ""\nfrom = [0, 0]\nto = [1, 1]', "name"),
        ('[[zone]]\nname = "a"\npolygon = "square"', "polygon"),
        (polygon((0.1, 0.1), (0.9, 0.9)), "open"),
        (polygon((0.1, 0.1), (0.9, 0.9), (0.1, 0.1)), "open"),
        (polygon((0.1, 0.1), (0.9, 0.9), (0.9, 0.1), (0.1, 0.9)), "crosses itself"),
        (polygon((0.1, 0.1), (0.9, 0.1), (0.5, 0.1), (0.5, 0.9)), "crosses itself"),
        (polygon((0.1, 0.1), (0.5, 0.5), (0.9, 0.9)), "no area"),
        (polygon((0.1, 0.1), (0.9, 0.1), (0.9, -0.2)), "outside of the picture"),
        (polygon((0.1, 0.1), (0.9, 0.1), (0.9, 0.9)) + "\n" + polygon((0, 0), (1, 0), (1, 1)), "two zones"),
        ('[[rule]]\nzone = "z"', "no kind"),
        ('[[rule]]\nkind = "loitring"', "did you mean 'loitering'"),
        ('[[rule]]\nkind = "loitering"\nzone = "z"', "does not have"),
        ('[[rule]]\nkind = "intrusion"', "zone is missing"),
        ('[[rule]]\nkind = "loitering"\nsecond = 5', "did you mean 'seconds'"),
        ('[[rule]]\nkind = "loitering"\nseconds = -5', "greater than or equal to 0"),
        ('[[rule]]\nkind = "wrong_direction"\nallowed = [0, 0]', "no direction"),
        ('[[rule]]\nkind = "fall"\n[[rule]]\nkind = "fall"', "two rules"),
    ],
)
def test_what_is_wrong_is_said(refused, text, said):
    assert said in refused(text)


def test_the_place_is_named(refused):
    message = refused(polygon((0, 0), (1, 0), (1, 1)) + "\n" + polygon((0, 0), (1, 0), (1, 3)))
    assert "[[zone]] number 2, polygon, value 3, value 2 = 3" in message


def test_a_file_that_is_missing_or_a_folder_or_huge(tmp_path):
    with pytest.raises(BadInputError, match="no such file"):
        load_zones(tmp_path / "none.toml")
    with pytest.raises(BadInputError, match="is a folder"):
        load_zones(tmp_path)
    (tmp_path / "huge.toml").write_bytes(b"#" * (1 << 20) + b"\n\n")
    with pytest.raises(BadInputError, match="at most"):
        load_zones(tmp_path / "huge.toml")


def test_every_kind_of_rule_is_its_own_word():
    for kind, model in RULE_KINDS.items():
        assert model.model_fields["kind"].annotation.__args__ == (kind,)
