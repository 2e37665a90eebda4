"""ReID figures against an evaluator that follows the rules one gallery picture at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.errors import BadInputError
from mien.evaluation.reid.figures import cosine_distances, pooled_queries, rankings, reid_figures
from mien.evaluation.reid.names import Sightings, sightings_of


def seen(people, cameras) -> Sightings:
    people, cameras = np.array(people), np.array(cameras)
    return Sightings(people, cameras, np.ones_like(people), np.arange(len(people)))


def slow(distances: np.ndarray, query: Sightings, gallery: Sightings) -> dict[str, float]:
    first, precisions, penalties = [], [], []
    for row in range(len(query)):
        answers = []
        for column in range(len(gallery)):
            same = gallery.people[column] == query.people[row]
            if gallery.people[column] == -1 or (same and gallery.cameras[column] == query.cameras[row]):
                continue
            answers.append((distances[row, column], bool(same)))
        answers.sort()
        ranks = [rank for rank, (_, same) in enumerate(answers, start=1) if same]
        if ranks:
            first.append(ranks[0])
            precisions.append(np.mean([number / rank for number, rank in enumerate(ranks, start=1)]))
            penalties.append(len(ranks) / ranks[-1])
    return {
        **{f"rank{most}": np.mean([rank <= most for rank in first]) for most in (1, 5, 10)},
        "map": np.mean(precisions),
        "minp": np.mean(penalties),
        "queries": len(first),
    }


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_slow_evaluator(seed):
    random = np.random.default_rng(seed)
    gallery = seen(random.integers(-1, 25, 400), random.integers(1, 7, 400))
    query = seen(random.integers(1, 30, 60), random.integers(1, 7, 60))
    distances = random.random((60, 400)).astype(np.float32) + 0.4 * (query.people[:, None] != gallery.people)
    distances = (distances.round(2) if seed % 2 else distances).astype(np.float32)  # odd seeds: many ties
    expected = slow(distances, query, gallery)
    figures = reid_figures(rankings([distances[:17], distances[17:]], query, gallery))
    assert figures == pytest.approx(expected, abs=1e-6)
    assert 0 < figures["queries"] < 60
    assert 0.05 < figures["map"] < 0.95


def test_by_hand():
    # Person 7 in camera 1 asks. Same camera, junk: left out. Then: other, right, distractor, right.
    gallery = seen([7, -1, 8, 7, 0, 7], [1, 2, 1, 2, 3, 3])
    distances = np.array([[0.0, 0.1, 0.2, 0.3, 0.4, 0.5]], np.float32)
    figures = reid_figures(rankings([distances], seen([7], [1]), gallery))
    assert figures == {
        "rank1": 0.0,
        "rank5": 1.0,
        "rank10": 1.0,
        "map": pytest.approx((1 / 2 + 2 / 4) / 2),
        "minp": pytest.approx(2 / 4),
        "queries": 1,
    }


def test_an_embedder_that_says_the_same_of_everybody_earns_nothing():
    gallery = seen([7, 8, 9, 10], [2, 2, 2, 2])
    figures = reid_figures(rankings([np.zeros((1, 4), np.float32)], seen([7], [1]), gallery))
    assert figures["rank1"] == 0.0
    assert figures["map"] == 0.25


def test_queries_without_a_match_are_not_counted():
    figures = reid_figures(rankings([np.zeros((2, 1), np.float32)], seen([7, 8], [1, 1]), seen([7], [1])))
    assert figures == {"rank1": None, "rank5": None, "rank10": None, "map": None, "minp": None, "queries": 0}


def test_multiple_query_averages_what_its_own_camera_saw():
    vectors = np.array([[1, 0], [0, 1]], np.float32)
    gallery_vectors = np.array([[0, 1], [-1, 0], [0, -1]], np.float32)
    query, gallery = seen([7, 8], [1, 1]), seen([7, 7, 9], [1, 2, 1])
    pooled = pooled_queries(vectors, query, gallery_vectors, gallery)
    assert pooled == pytest.approx(np.array([[2**-0.5, 2**-0.5], [0, 1]]))


def test_cosine_distances_come_in_order():
    random = np.random.default_rng(0)
    query, gallery = (random.normal(size=(count, 8)).astype(np.float32) for count in (600, 5))
    assert np.concatenate(list(cosine_distances(query, gallery))) == pytest.approx(1 - query @ gallery.T, abs=1e-5)


def test_names():
    names = sightings_of([Path("a/0011_c3s1_075919_03.jpg"), Path("-1_c1s2_000401_00.jpg"), Path("0000_c6s4_1_1.png")])
    assert names.people.tolist() == [11, -1, 0]
    assert names.cameras.tolist() == [3, 1, 6]
    assert names.sequences.tolist() == [1, 2, 4]
    assert names.frames.tolist() == [75919, 401, 1]


@pytest.mark.parametrize("name", ["ada.jpg", "11_3_75919.jpg", "0011_c3_075919_03.jpg", ""])
def test_another_form_of_name_is_refused(name):
    with pytest.raises(BadInputError, match="0011_c3s1") as caught:
        sightings_of([Path(name)])
    assert caught.value.code == "picture_name_unknown"
