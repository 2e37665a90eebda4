"""Ranking: who resembles the query comes first, by looks, by neighbours, by words."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from mien.archive.archive import Archive
from mien.archive.finding import Finder
from mien.archive.index import index_of
from mien.archive.query import Query
from mien.archive.sheet import clock, result_sheet
from mien.archive.wanted import wanted_of
from mien.errors import BadInputError


def query(vector):
    return Query(np.asarray(vector, np.float32), np.zeros((64, 32, 3), np.uint8), 1)


def test_the_same_person_comes_first_across_videos(home, track, put):
    with Archive.open() as archive:
        for at in range(3):
            put(archive, f"/{at}.mp4", [track(10 * at + n) for n in range(10)])
        finder = Finder(archive)
        assert len(finder.index) == 30
        found = finder.by_picture(query(track(14).features[2]), top=5)
    assert len(found) == 5
    assert (found[0].track.track_id, found[0].video.path) == (14, "/1.mp4")
    assert found[0].similarity > 0.9
    assert found[0].shot.time == 15.0  # its second shot, whose look was asked for
    values = [one.similarity for one in found]
    assert values == sorted(values, reverse=True)
    record = found[0].to_dict()
    assert (record["start"], record["end"], record["time"]) == (14.0, 23.5, 15.0)
    assert record["rect"] == {"left": 15.0, "top": 2.0, "right": 31.0, "bottom": 42.0}
    assert record["attributes"] == {"male": 0.9, "backpack": 0.2, "upper_colour": "blue"}
    assert found[0].thumbnail.shape == (40, 16, 3)


def test_similarity_is_that_of_the_closest_of_mean_and_shots():
    rows = np.random.default_rng(1).standard_normal((7, 16)).astype(np.float32)
    parts = [(4, rows[:5], [2, 3]), (9, np.empty((0, 0), np.float32), []), (6, rows[5:], [1, 1])]
    index = index_of([(*part, np.zeros((len(part[2]), 2), np.float32)) for part in parts])
    wanted = np.random.default_rng(2).standard_normal(16).astype(np.float32)
    groups = [rows[0:2], rows[2:5], rows[5:6], rows[6:7]]
    expected = [max(float(row @ wanted) for row in group) for group in groups]
    np.testing.assert_allclose(index.similarities(wanted), expected, rtol=1e-5)
    assert index.videos.tolist() == [4, 4, 6, 6]
    assert index.numbers.tolist() == [0, 1, 0, 1]


def test_reranking_prefers_who_has_the_query_among_its_neighbours():
    """The most similar one belongs to a crowd of its own, and would not name the query; the three next ones would."""
    noise = np.random.default_rng(0).normal(0, 0.01, (44, 40))
    axis = np.eye(40)
    rows = np.concatenate(
        [
            [0.58 * axis[0] + 0.81 * axis[2]],
            np.tile(0.55 * axis[0] + 0.835 * axis[1], (3, 1)) + noise[:3],
            np.tile(axis[2], (40, 1)) + noise[3:43],
        ]
    )
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    index = index_of([(1, rows, [1] * len(rows), np.zeros((len(rows), 1), np.float32))])
    wanted = axis[0].astype(np.float32)
    assert index.best(wanted, 4)[0][0] == 0
    places, similarity = index.best_reranked(wanted, 4)
    assert sorted(places[:3].tolist()) == [1, 2, 3]
    np.testing.assert_allclose(similarity, rows[places] @ wanted, rtol=1e-5)


def test_a_sure_match_is_asked_with_the_query():
    """The query resembles the first track's front; its back, in another video, resembles only that track's mean."""
    front, back, other = np.eye(3, 16, dtype=np.float32)
    both = (front + back) / np.sqrt(np.float32(2))
    impostor = np.float32(0.3) * front + np.float32(0.954) * other
    rows = np.stack([both, front, back, impostor])
    index = index_of([(1, rows, [2, 1, 1], np.zeros((3, 1), np.float32))])
    assert np.argsort(-index.similarities(front))[:2].tolist() == [0, 2]
    assert index.best(front, 3)[0].tolist() == [0, 1, 2]
    unsure = (np.float32(0.5) * front + np.float32(0.866) * np.eye(16, dtype=np.float32)[9]).astype(np.float32)
    np.testing.assert_array_equal(index.expanded(unsure), unsure)


def test_words_rank_by_what_fits(home, track, put):
    looks = [
        {"upper": {"red": 1.0}, "probabilities": {"male": 0.9, "backpack": 0.9}},
        {"upper": {"blue": 1.0}, "probabilities": {"male": 0.2, "backpack": 0.8}},
        {"upper": {"blue": 0.5, "black": 0.5}, "probabilities": {"male": 0.9, "backpack": 0.1}},
    ]
    with Archive.open() as archive:
        put(archive, "/a.mp4", [track(at, **look) for at, look in enumerate(looks)])
        finder = Finder(archive)

        def order(words):
            return [one.track.track_id for one in finder.by_attributes(wanted_of(words))]

        assert order("blue top, backpack") == [1, 2, 0]
        assert order("man, no backpack")[0] == 2
        assert order("red shirt")[0] == 0
        (best, *_) = finder.by_attributes(wanted_of("blue top, backpack"))
        assert best.similarity == pytest.approx(0.8**0.5, abs=1e-3)


def test_an_empty_archive_and_one_of_another_embedder_are_errors(home, track, put, caplog):
    with Archive.open() as archive:
        with pytest.raises(BadInputError) as caught:
            Finder(archive)
        assert caught.value.code == "archive_empty"
        put(archive, "/old.mp4", [track(1)], model=("old", bytes(16)))
        with pytest.raises(BadInputError) as caught:
            Finder(archive)
        assert caught.value.code == "archive_other_model"
        put(archive, "/new.mp4", [track(2)])
        with caplog.at_level(logging.WARNING, "mien.archive"):
            assert [video.path for video in Finder(archive).videos] == ["/new.mp4"]
    assert "/old.mp4" in caplog.text


def test_videos_without_people_answer_nobody(home, track, put):
    with Archive.open() as archive:
        put(archive, "/empty.mp4", [])
        finder = Finder(archive)
        assert finder.by_picture(query(np.eye(32)[0]), rerank=True) == []
        assert finder.by_attributes(wanted_of("hat")) == []
    assert result_sheet([]).ndim == 3


def test_the_sheet_shows_all(home, track, put):
    with Archive.open() as archive:
        put(archive, "/a.mp4", [track(at) for at in range(8)])
        found = Finder(archive).by_picture(query(track(3).features[0]))
    small, large = result_sheet(found[:2]), result_sheet(found, asked=np.zeros((64, 32, 3), np.uint8))
    assert large.shape[0] > small.shape[0]
    assert large.std() > 10


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (61.26, "1:01.3"), (3725.4, "1:02:05.4"), (59.96, "1:00.0")]
)
def test_clock(seconds, text):
    assert clock(seconds) == text
