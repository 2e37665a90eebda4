"""`mien evaluate reid` as a user runs it, on a few people of Market-1501's training part."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest


@pytest.fixture
def folders(data, models, tmp_path) -> tuple[Path, Path]:
    """Query and gallery: three people; the first picture of each in each camera asks."""
    query, gallery = tmp_path / "query", tmp_path / "gallery"
    query.mkdir()
    gallery.mkdir()
    files = sorted(data("market_dev").glob("*.jpg"))
    people = sorted({file.name[:4] for file in files})[:3]
    asked = set()
    for file in files:
        if file.name[:4] in people:
            folder = gallery if file.name[:7] in asked else query
            asked.add(file.name[:7])
            (folder / file.name).symlink_to(file)
    return query, gallery


def test_figures_and_rank_lists(mien, folders, tmp_path):
    query, gallery = folders
    words = (
        "evaluate",
        "reid",
        "--query",
        query,
        "--gallery",
        gallery,
        "--model",
        "person-reidentification-retail-0287",
    )
    code, out, _ = mien(*words, "--pictures", tmp_path / "lists", "--json")
    plain = json.loads(out)
    assert code == 0
    assert {"rank1", "rank5", "rank10", "map", "minp", "queries"} <= set(plain)
    assert plain["rank1"] > 0.8
    assert 0.6 < plain["map"] <= 1
    assert plain["queries"] >= 5
    for name in ("sample.png", "hardest.png"):
        sheet = np.asarray(PIL.Image.open(tmp_path / "lists" / name))
        assert ((sheet == (26, 150, 65)).all(2)).sum() > 3000  # frames of right answers

    code, out, _ = mien(*words, "--rerank", "--json")
    assert code == 0
    assert json.loads(out)["map"] >= plain["map"]


def test_a_name_without_camera_is_bad_input(mien, folders):
    query, gallery = folders
    PIL.Image.new("RGB", (64, 128)).save(query / "ada.jpg")
    code, out, err = mien("evaluate", "reid", "--query", query, "--gallery", gallery, "--json")
    assert (code, out) == (3, "")
    assert "picture_name_unknown" in err
    assert "ada.jpg" in err


def test_an_empty_folder_is_bad_input(mien, folders, tmp_path):
    query, _ = folders
    (tmp_path / "empty").mkdir()
    code, _, err = mien("evaluate", "reid", "--query", query, "--gallery", tmp_path / "empty", "--json")
    assert code == 3
    assert "no_pictures" in err


def test_folders_without_a_common_person_are_bad_input(mien, folders, tmp_path):
    query, _ = folders
    other = tmp_path / "other"
    other.mkdir()
    PIL.Image.new("RGB", (64, 128)).save(other / "9999_c1s1_000001_01.jpg")
    code, _, err = mien("evaluate", "reid", "--query", query, "--gallery", other, "--json")
    assert code == 3
    assert "no_matches" in err
