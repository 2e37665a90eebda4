from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from mien.training.tasks.detection_targets import assign, cells, overlaps  # noqa: E402

STRIDES = (8, 16)
NOTHING = torch.empty(0, 4)


def test_cells_are_listed_stride_by_stride_row_by_row() -> None:
    places = cells(16, 32, STRIDES)
    assert places[:5].tolist() == [[0, 0, 8], [8, 0, 8], [16, 0, 8], [24, 0, 8], [0, 8, 8]]
    assert places[8:].tolist() == [[0, 0, 16], [16, 0, 16]]


def test_overlaps_of_boxes() -> None:
    first = torch.tensor([[0.0, 0, 2, 2], [5, 5, 6, 6]])
    assert overlaps(first, torch.tensor([[1.0, 0, 3, 2]]))[:, 0].tolist() == pytest.approx([1 / 3, 0])


def assigned(objects: torch.Tensor, ignored: torch.Tensor = NOTHING, boxes: torch.Tensor | None = None):
    places = cells(64, 64, STRIDES)
    own = torch.cat([places[:, :2], places[:, :2] + places[:, 2:]], 1) if boxes is None else boxes
    return places, assign(places, own, torch.full((len(places),), 0.1), objects, ignored)


def test_each_object_gets_the_cells_whose_boxes_fit_it_best() -> None:
    places, targets = assigned(torch.tensor([[16.0, 16, 24, 24], [32, 32, 48, 48]]))
    chosen = {tuple(place) for place in places[targets.positive].tolist()}
    assert {(16, 16, 8), (32, 32, 16)} <= chosen
    best = targets.overlap[[tuple(place) == (16, 16, 8) for place in places[targets.positive].tolist()]]
    assert best.tolist() == pytest.approx([1.0])
    assert set(targets.objects.tolist()) == {0, 1}


def test_number_of_cells_is_the_sum_of_the_best_overlaps() -> None:
    target = torch.tensor([[20.0, 20, 44, 44]])
    places = cells(64, 64, STRIDES)
    perfect = target.expand(len(places), 4)
    _, targets = assigned(target, boxes=perfect)
    assert int(targets.positive.sum()) == 10


def test_a_cell_serves_one_object_only() -> None:
    twins = torch.tensor([[16.0, 16, 40, 40], [17.0, 17, 41, 41]])
    places = cells(64, 64, STRIDES)
    _, targets = assigned(twins, boxes=twins[:1].expand(len(places), 4))
    assert len(targets.objects) == int(targets.positive.sum())


def test_object_far_smaller_than_a_cell_still_gets_one() -> None:
    _, targets = assigned(torch.tensor([[30.0, 30, 33, 33]]))
    assert int(targets.positive.sum()) >= 1


def test_picture_without_objects_has_empty_cells_that_count() -> None:
    _, targets = assigned(NOTHING)
    assert not targets.positive.any()
    assert targets.counted.all()
    assert len(targets.objects) == 0


def test_cells_in_an_ignored_region_do_not_count_unless_they_have_an_object() -> None:
    region = torch.tensor([[0.0, 0, 32, 64]])
    places, targets = assigned(torch.tensor([[16.0, 16, 24, 24]]), region)
    centre = places[:, :2] + places[:, 2:] / 2
    inside = (centre[:, 0] < 32) & ~targets.positive
    assert not targets.counted[inside].any()
    assert targets.counted[targets.positive].all()
    assert targets.counted[centre[:, 0] > 32].all()
