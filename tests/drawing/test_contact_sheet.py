import numpy as np
import pytest

from mien.drawing.contact_sheet import Tile, contact_sheet, grouped_contact_sheet
from mien.errors import UsageError

RED, GREEN = (200, 10, 20), (10, 200, 20)


def plain(height, width, colour):
    image = np.empty((height, width, 3), np.uint8)
    image[:] = colour
    return image


def extent(sheet, colour):
    rows, columns = np.nonzero((np.abs(sheet.astype(int) - colour) < 8).all(2))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def test_a_picture_keeps_its_shape_and_is_centred():
    sheet = contact_sheet([Tile(plain(300, 100, RED), "Ada")], tile=150)
    top, left, bottom, right = extent(sheet, RED)
    assert (bottom - top, right - left) == (150, 50)
    assert abs((left + right) / 2 - sheet.shape[1] / 2) <= 1


def test_rows_and_columns():
    tiles = [Tile(plain(50, 50, RED if number < 3 else GREEN)) for number in range(5)]
    sheet = contact_sheet(tiles, columns=3, tile=100)
    red, green = extent(sheet, RED), extent(sheet, GREEN)
    assert red[3] - red[1] == 3 * 100 + 2 * 12
    assert green[0] > red[2]
    assert green[3] - green[1] == 2 * 100 + 12
    assert sheet.shape[1] == 12 + 3 * 112


def test_without_columns_the_sheet_is_not_a_strip():
    height, width, _ = contact_sheet([Tile(plain(9, 9, RED), "name", "more")] * 40).shape
    assert 0.6 < width / height < 2


def test_small_pictures_grow_at_most_fourfold():
    top, left, bottom, right = extent(contact_sheet([Tile(plain(10, 10, RED))], tile=160), RED)
    assert (bottom - top, right - left) == (40, 40)


def test_captions_show_and_stay_in_their_column():
    def below(*tiles):
        return contact_sheet(tiles, tile=160, columns=2)[182:]

    empty = plain(50, 50, RED)
    long_name = "a very long name that does not fit under one tile"
    without = below(Tile(empty, "", "."), Tile(empty, "Bo"))
    with_name = below(Tile(empty, long_name, "."), Tile(empty, "Bo"))
    changed = np.nonzero((without != with_name).any((0, 2)))[0]
    assert changed.size > 50
    assert changed.max() < 20 + 160


def test_groups_come_one_below_the_other_with_headings():
    groups = [("Ada: 2 pictures", [Tile(plain(50, 50, RED))] * 2), ("alone", [Tile(plain(50, 50, GREEN))])]
    sheet = grouped_contact_sheet(groups, tile=100)
    assert extent(sheet, RED)[0] > 20
    assert extent(sheet, GREEN)[0] - extent(sheet, RED)[2] > 30
    unnamed = grouped_contact_sheet([("", tiles) for _, tiles in groups], tile=100)
    assert sheet.shape[0] > unnamed.shape[0]
    assert sheet.shape[1] == unnamed.shape[1]


@pytest.mark.parametrize("groups", [[], [("", [])], [("nobody", [])]])
def test_nothing_gives_a_sheet_that_says_so(groups):
    sheet = grouped_contact_sheet(groups)
    assert sheet.ndim == 3
    assert (sheet < 60).any()


def test_the_smallest_picture_and_odd_names():
    sheet = contact_sheet(
        [Tile(plain(1, 1, RED), "Ü 李\n", "\x00"), Tile(plain(1, 500, RED)), Tile(plain(500, 1, RED))]
    )
    assert sheet.dtype == np.uint8


@pytest.mark.parametrize("wrong", [{"columns": 0}, {"tile": 5}])
def test_wrong_sizes_are_named(wrong):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        contact_sheet([], **wrong)
