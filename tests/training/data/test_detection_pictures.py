"""Geometry is checked on pictures whose objects can be found again by their colour."""

from __future__ import annotations

import numpy as np
import pytest
from painted_pictures import PaintedPictures

pytest.importorskip("torch")

from mien.errors import BadInputError
from mien.training.data.detection_pictures import IGNORED, OBJECT, DetectionPictures
from mien.training.data.input_format import InputFormat

FORMAT = InputFormat(height=160, width=192)


def samples(count: int, **arguments: object) -> list[dict[str, np.ndarray]]:
    data = DetectionPictures(PaintedPictures(), FORMAT, long_side=300, **arguments)  # type: ignore[arg-type]
    return [data.sample(number % len(data), np.random.default_rng([7, number])) for number in range(count)]


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_boxes_lie_where_the_objects_are_painted(mosaic: float) -> None:
    seen = 0
    for sample in samples(25, mosaic=mosaic, smallest=4.0):
        red = sample["image"][..., 0].astype(int) - sample["image"][..., 1] > 100
        assert sample["image"].shape == (160, 192, 3)
        for box in sample["boxes"][sample["kinds"] == OBJECT]:
            left, top, right, bottom = box
            inner = red[int(np.ceil(top)) + 1 : int(bottom) - 1, int(np.ceil(left)) + 1 : int(right) - 1]
            assert inner.mean() > 0.99 or inner.size == 0
            seen += 1
        for x, y in np.argwhere(red)[::97, ::-1]:
            rows = sample["boxes"][sample["kinds"] > 0]
            assert (
                (rows[:, 0] - 1.5 <= x) & (x <= rows[:, 2] + 1.5) & (rows[:, 1] - 1.5 <= y) & (y <= rows[:, 3] + 1.5)
            ).any()
    assert seen > 20


def test_edges_of_boxes_are_where_the_paint_ends() -> None:
    """To half a pixel: a box that is shifted by a resampling rule would teach every detector the same shift."""
    errors = []
    for sample in samples(60, mosaic=0.0):
        red = (sample["image"][..., 0].astype(float) - sample["image"][..., 1]) / 255
        for box in sample["boxes"][sample["kinds"] == OBJECT]:
            if (box < 3).any() or box[2] > 189 or box[3] > 157 or min(box[2:] - box[:2]) < 12:
                continue
            row = round((box[1] + box[3]) / 2)
            line = red[row, max(0, int(box[0]) - 4) : int(box[2]) + 5]
            middle = (np.arange(len(line)) + 0.5) @ line / line.sum() + max(0, int(box[0]) - 4)
            errors.append(middle - (box[0] + box[2]) / 2)
    assert len(errors) > 10
    assert abs(np.mean(errors)) < 0.15
    assert np.abs(errors).max() < 0.8


def test_landmarks_stay_at_their_places_in_the_box_and_keep_left_and_right() -> None:
    known = 0
    for sample in samples(40, mosaic=0.5):
        for box, marks in zip(sample["boxes"], sample["landmarks"], strict=True):
            whole = np.isfinite(marks).all() and (box > 1).all() and box[2] < 190 and box[3] < 158
            if whole:
                share = (marks - box[:2]) / (box[2:] - box[:2])
                if np.abs(share[2] - 0.5).max() < 0.02:  # not cut at a seam of the mosaic
                    np.testing.assert_allclose(share[0], [0.25, 0.25], atol=0.03)
                    np.testing.assert_allclose(share[4], [0.75, 0.75], atol=0.03)
                    known += 1
    assert known > 10


def test_border_is_grey_as_asked() -> None:
    data = DetectionPictures(PaintedPictures(1), FORMAT, long_side=40, scale=(1.0, 1.0), mosaic=0.0, border=114)
    image = data.sample(0, np.random.default_rng(1))["image"]
    assert (image == 114).all(2).mean() > 0.8


def test_same_generator_makes_the_same_sample() -> None:
    first, second = samples(4), samples(4)
    for one, other in zip(first, second, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


def test_small_objects_are_ignored_not_left_out() -> None:
    kinds = np.concatenate([sample["kinds"] for sample in samples(10, mosaic=0.0, smallest=1000.0)])
    assert OBJECT not in kinds
    assert IGNORED in kinds


def test_rows_hold_the_largest_objects_where_there_are_too_many() -> None:
    few = samples(20, mosaic=1.0, most=2)
    many = samples(20, mosaic=1.0, most=50)
    for short, full in zip(few, many, strict=True):
        boxes = full["boxes"][full["kinds"] == OBJECT]
        area = np.sort((boxes[:, 2:] - boxes[:, :2]).prod(1))[::-1][:2]
        kept = short["boxes"][short["kinds"] == OBJECT]
        np.testing.assert_allclose((kept[:, 2:] - kept[:, :2]).prod(1), area)


def test_a_picture_that_cannot_be_decoded_is_replaced_and_named() -> None:
    data = DetectionPictures(PaintedPictures(broken=(2,)), FORMAT, mosaic=0.0)
    assert data.sample(2, np.random.default_rng(0))["skipped"] == 2
    assert data.sample(1, np.random.default_rng(0))["skipped"] == -1
    hopeless = DetectionPictures(PaintedPictures(3, broken=(0, 1, 2)), FORMAT)
    with pytest.raises(BadInputError) as raised:
        hopeless.sample(0, np.random.default_rng(0))
    assert raised.value.code == "data_corrupt"
