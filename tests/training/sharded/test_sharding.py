import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

import gloo_ranks  # noqa: E402
import shard_steps  # noqa: E402

from mien.errors import UsageError  # noqa: E402
from mien.training.sharded.sharding import class_range  # noqa: E402


def test_more_ranks_than_classes_are_refused():
    with pytest.raises(UsageError, match="2 classes cannot be split over 3 ranks"):
        class_range(2, 0, 3)


@given(st.integers(1, 10_000), st.integers(1, 64))
def test_ranges_cover_all_classes_once(classes, ranks):
    if ranks <= classes:
        ranges = [class_range(classes, rank, ranks) for rank in range(ranks)]
        assert [item.first for item in ranges] == [0, *(item.last for item in ranges[:-1])]
        assert ranges[-1].last == classes


def test_a_batch_is_gathered_from_uneven_parts_and_gradients_find_their_way_back(tmp_path):
    results = gloo_ranks.run(shard_steps.gathered, 3, tmp_path, 3)
    for features, labels, _ in results:
        assert features[:, 0].tolist() == [10, 11, 20, 21, 22, 23]
        assert labels.tolist() == [1, 1, 2, 2, 2, 2]
    assert [gradient[:, 0].tolist() for _, _, gradient in results] == [[], [2, 4], [6, 8, 10, 12]]


def test_centres_move_as_with_the_whole_batch_on_one_rank(tmp_path):
    (expected,) = gloo_ranks.run(shard_steps.centres_of_ranks, 1, tmp_path, 1)
    assert expected.any()
    for centres in gloo_ranks.run(shard_steps.centres_of_ranks, 3, tmp_path, 3):
        torch.testing.assert_close(centres, expected)
