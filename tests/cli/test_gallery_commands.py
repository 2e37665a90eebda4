import json
import os
import signal
import sqlite3
import time
from contextlib import closing

import pytest

from mien.identity.gallery import Gallery


def test_enroll_search_list_and_erase(mien, astronaut, two_faces):
    assert mien("enroll", "crew", "Eileen Ümläut", astronaut)[0] == 0
    code, out, err = mien("search", "crew", two_faces, "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found) >= {"matches", "threshold", "fpir", "model"}
    (match,) = found["matches"]
    assert set(match) == {"subject", "similarity", "face_id"}
    assert match["subject"] == "Eileen Ümläut"
    assert match["similarity"] > found["threshold"]
    assert (found["fpir"], found["faces"]) == (0.01, 2)
    assert "2 faces; the largest was taken" in err
    assert "Eileen Ümläut" in mien("search", "crew", astronaut)[1]
    (subject,) = json.loads(mien("subjects", "crew", "--json")[1])
    assert (subject["subject"], subject["faces"]) == ("Eileen Ümläut", 1)
    code, out, _ = mien("erase", "crew", "Eileen Ümläut", "--json")
    assert (code, json.loads(out)) == (0, {"collection": "crew", "erased": True, "faces": 1})
    assert json.loads(mien("subjects", "crew", "--json")[1]) == []
    assert json.loads(mien("search", "crew", astronaut, "--json")[1])["matches"] == []
    assert "nobody of crew" in mien("search", "crew", astronaut)[1]


def test_several_faces_are_refused_by_number_unless_the_largest_is_meant(mien, two_faces):
    code, _, err = mien("enroll", "crew", "Eileen", two_faces)
    assert code == 3
    assert "shows 2 faces" in err
    assert "--largest" in err
    assert mien("enroll", "crew", "Eileen", two_faces, "--largest")[0] == 0


def test_a_folder_is_enrolled_once_however_often_it_is_tried(mien, astronaut, two_faces, tmp_path):
    folder = tmp_path / "Leute"
    for name, source in (("Eileen/a.png", astronaut), ("Zwölf/b.png", astronaut), ("Zwölf/c.png", two_faces)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(source.read_bytes())
    (folder / "Zwölf" / "leer.jpg").write_bytes(b"")
    (folder / "nobody").mkdir()
    failed = [("c.png", "faces_several"), ("leer.jpg", "picture_empty")]
    for enrolled, known in ((2, 0), (0, 2)):
        code, out, err = mien("enroll", "crew", "--folder", folder, "--json")
        record = json.loads(out)
        assert code == 3
        assert (record["enrolled"], record["known"]) == (enrolled, known)
        assert [(os.path.basename(row["picture"]), row["code"]) for row in record["failed"]] == failed
        assert all(row["reason"] in err for row in record["failed"])
    assert [row["faces"] for row in json.loads(mien("subjects", "crew", "--json")[1])] == [1, 1]


@pytest.mark.parametrize(
    "words",
    [
        ["crew"],
        ["crew", "Eileen"],
        ["crew", "Eileen", "--folder", "somewhere"],
        [],
        ["crew", "E", "x", "--model", "yolo"],
    ],
)
def test_enroll_says_what_it_needs(mien, words):
    code, out, err = mien("enroll", *words)
    assert (code, out) == (2, "")
    assert err


@pytest.mark.parametrize("name", ["", " ", "x" * 201, "a\nb"])
def test_a_name_that_is_none_is_bad_input(mien, astronaut, name):
    code, _, err = mien("enroll", "crew", name, astronaut)
    assert code == 3
    assert "error [name_" in err


def test_names_are_no_markup(mien, astronaut):
    mien("enroll", "crew", "[/bold] :smile:", astronaut)
    assert "[/bold] :smile:" in mien("subjects", "crew")[1]


def test_another_embedder_is_refused_by_name(mien, astronaut):
    mien("enroll", "crew", "Eileen", astronaut)
    code, _, err = mien("enroll", "crew", "Eileen", astronaut, "--model", "mobilefacenet-foamliu")
    assert code == 3
    assert "face-reidentification-retail-0095, not of mobilefacenet-foamliu" in err


def test_a_watch_list_is_one_from_the_start(mien, astronaut):
    for _ in range(2):
        assert mien("enroll", "wanted", "Eileen", astronaut, "--watch-list")[0] == 0
    with Gallery.open() as gallery:
        assert gallery["wanted"].watch_list
    mien("enroll", "crew", "Eileen", astronaut)
    code, _, err = mien("enroll", "crew", "Eileen", astronaut, "--watch-list")
    assert code == 2
    assert "watch_list_late" in err


@pytest.mark.parametrize("words", [["search", "nope", "PICTURE"], ["subjects", "nope"], ["erase", "nope", "Eileen"]])
def test_a_missing_collection_is_bad_input(mien, astronaut, words):
    code, out, err = mien(*(astronaut if word == "PICTURE" else word for word in words))
    assert (code, out) == (3, "")
    assert "error [collection_missing]" in err
    assert "nope" in err


def test_a_missing_subject_is_bad_input(mien, astronaut):
    mien("enroll", "crew", "Eileen", astronaut)
    code, _, err = mien("erase", "crew", "Élise")
    assert code == 3
    assert "Élise" in err


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("newer", "database_newer"),
        ("key", "master_key_missing"),
        ("foreign", "database_"),
        ("other key", "master_key_"),
    ],
)
def test_a_store_that_cannot_be_opened_is_explained(mien, home, astronaut, harm, code):
    mien("enroll", "crew", "Eileen", astronaut)
    database, key = home / "data" / "gallery.db", home / "keys" / "master.key"
    secret = key.read_bytes()
    if harm == "newer":
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute("UPDATE mien_gallery SET schema_version = 99")
    elif harm == "key":
        key.unlink()
    elif harm == "foreign":
        for extra in database.parent.glob("gallery.db-*"):
            extra.unlink()
        database.write_bytes(b"hello" * 1000)
    else:
        key.write_bytes(secret[:-10] + secret[-10:-2][::-1] + secret[-2:])
    for words in (["search", "crew", astronaut], ["enroll", "crew", "E", astronaut], ["subjects", "crew"]):
        exit_code, out, err = mien(*words)
        assert (exit_code, out) == (3, "")
        assert f"error [{code}" in err
        assert secret.decode("latin-1").strip() not in err
        assert "Eileen" not in err


def test_a_killed_enrollment_loses_nothing_and_can_be_repeated(mien, start, data, tmp_path):
    folder = tmp_path / "people"
    pictures = sorted(data("lfw_view1/images").glob("*/*.jpg"))[:60]
    for picture in pictures:
        (folder / picture.parent.name).mkdir(parents=True, exist_ok=True)
        (folder / picture.parent.name / picture.name).symlink_to(picture)
    process = start("enroll", "staff", "--folder", folder, "--largest")
    seen = 0
    with Gallery.open() as gallery:
        deadline = time.monotonic() + 50
        while seen < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
            seen = len(gallery["staff"]) if "staff" in gallery.collections() else 0
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert 3 <= seen <= len(gallery["staff"]) < 60
        left = len(gallery["staff"])
    code, out, _ = mien("enroll", "staff", "--folder", folder, "--largest", "--json")
    record = json.loads(out)
    assert code == 0
    assert (record["known"], record["enrolled"]) == (left, 60 - left)
    with Gallery.open() as gallery:
        assert len(gallery["staff"]) == 60
