import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.drawing.text import fit_text, label_bitmap, paint_text, shorten, text_mask


def same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and bool((first == second).all())


def test_mask_holds_letters_with_smooth_edges_and_grows_with_size():
    small, large = text_mask("Ada", 12), text_mask("Ada", 48)
    assert small.max() > 180
    assert large.max() == 255
    assert large.min() == 0
    assert ((large > 0) & (large < 255)).any()
    assert large.shape[0] == pytest.approx(4 * small.shape[0], rel=0.2)
    assert large.shape[1] == pytest.approx(4 * small.shape[1], rel=0.2)


def test_lines_of_one_size_have_one_height():
    assert text_mask("ooo", 20).shape[0] == text_mask("Agj|", 20).shape[0]


@pytest.mark.parametrize("name", ["Müller", "李小龙", "Сергей", "Nguyễn", "محمد", "🙂 Bob"])
def test_names_of_the_world_show_something(name):
    mask = text_mask(name, 24)
    assert mask.max() > 100
    assert not same(mask, text_mask(name[:-1], 24))


def test_two_names_that_no_font_has_still_differ():
    first, second = "\U00012000", "\U00012001"  # cuneiform: in no font of the list
    assert not same(text_mask(first, 20), text_mask(second, 20))


def test_what_cannot_be_shown_leaves_an_empty_line():
    for nothing in ("", "\ud800", "\u202e", "\n"):
        assert not text_mask(nothing, 20).any()


def test_accented_letter_without_a_glyph_shows_its_base_letter(monkeypatch):
    import mien.drawing.text as text

    monkeypatch.setattr(text, "_SYSTEM_FONTS", ())
    text._mask.cache_clear()
    try:
        assert same(text.text_mask("é", 20), text.text_mask("e", 20)) or text._has(text._own_font(20), "é")
        assert same(text.text_mask("李", 20), text.text_mask("U+674E", 20))
    finally:
        text._mask.cache_clear()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30), st.integers(-3, 40))
def test_any_text_of_any_size_draws(text, size):
    mask = text_mask(text, size)
    assert mask.dtype == np.uint8
    assert mask.ndim == 2
    assert mask.size > 0


def test_shorten_makes_one_printable_line():
    assert shorten("Ada\nof\t Lovelace\x00\u202e") == "Ada of Lovelace"
    assert len(shorten("x" * 500)) == 60
    assert shorten("x" * 500).endswith("...")
    assert shorten("") == ""


def test_fit_text_stays_within_its_width():
    cut = fit_text("a rather long name of somebody", 16, 90)
    assert cut.endswith("...")
    assert text_mask(cut, 16).shape[1] <= 90
    assert fit_text("Ada", 16, 90) == "Ada"
    assert fit_text("Ada", 16, 1) == ""


def test_label_is_ink_on_paper():
    label = label_bitmap("Ada", 24, (0, 0, 0), (240, 160, 20))
    assert tuple(label[0, 0]) == (240, 160, 20)
    assert label.sum(2).min() == 0


def test_text_is_cut_at_the_pictures_edges():
    for left, top in ((-10, -5), (35, 35), (-500, 0), (500, 500)):
        image = np.zeros((40, 40, 3), np.uint8)
        paint_text(image, "Ada", left, top, 20, (255, 255, 255))
        assert image.any() == (abs(left) < 100)
    whole, part = np.zeros((60, 90, 3), np.uint8), np.zeros((40, 60, 3), np.uint8)
    paint_text(whole, "Ada", 20, 20, 20, (9, 200, 70))
    paint_text(part, "Ada", 0, 0, 20, (9, 200, 70))
    assert same(whole[20:60, 20:80], part)
