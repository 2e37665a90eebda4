from __future__ import annotations

import json

import PIL.Image
import pytest


def test_analyze_finds_people_too(mien, astronaut):
    code, out, err = mien("analyze", "--people", "--json", astronaut)
    record = json.loads(out)
    assert (code, err) == (0, "")
    assert list(record)[3:] == ["face_num", "face_list", "person_num", "person_list", "milliseconds"]
    (person,) = record["person_list"]
    assert record["person_num"] == record["face_num"] == 1
    assert set(person) == {"rect", "score", "attributes", "skeleton"}
    assert {"male", "hat", "upper_colour", "lower_colour"} < set(person["attributes"])
    assert (len(person["skeleton"]), len(person["skeleton"][0])) == (33, 4)
    assert {"detection", "person_detection", "attributes", "skeleton"} <= set(record["milliseconds"])


def test_with_chooses_among_features_of_both(mien, astronaut):
    _, out, _ = mien("analyze", "--people", "--json", "--with", "pose,attributes", astronaut)
    record = json.loads(out)
    assert set(record["person_list"][0]) == {"rect", "score", "attributes"}
    assert set(record["face_list"][0]) == {"rect", "score", "landmarks", "orient", "face_3d"}


def test_a_feature_of_people_needs_people(mien, astronaut):
    code, out, err = mien("analyze", "--with", "attributes", astronaut)
    assert (code, out) == (2, "")
    assert "error [people_not_asked]" in err
    assert "--people" in err


def test_people_are_printed_and_drawn(mien, astronaut, tmp_path):
    code, out, _ = mien("analyze", "--people", "--draw", tmp_path / "drawn", astronaut)
    assert code == 0
    assert "1 person" in out
    (drawn,) = (tmp_path / "drawn").iterdir()
    assert PIL.Image.open(drawn).size == (512, 512)


def test_an_empty_picture_has_nobody(mien, models, tmp_path):
    PIL.Image.new("RGB", (80, 60), (90, 90, 90)).save(tmp_path / "empty.png")
    code, out, _ = mien("analyze", "--people", tmp_path / "empty.png")
    assert code == 0
    assert "no face" in out
    assert "nobody" in out


@pytest.mark.parametrize("behind", [("--blur",), ("--colour", "#00b140"), ("--replace", "two_faces")])
def test_background_writes_a_picture_of_the_same_size(mien, astronaut, two_faces, tmp_path, behind):
    words = [two_faces if word == "two_faces" else word for word in behind]
    output = tmp_path / "out.png"
    code, out, err = mien("background", astronaut, *words, "--output", output)
    assert (code, out) == (0, "")
    assert str(output) in err
    picture = PIL.Image.open(output)
    assert picture.size == (512, 512)
    if "--colour" in behind:
        assert picture.getpixel((330, 20)) == (0, 0xB1, 0x40)
        assert picture.getpixel((220, 300)) == PIL.Image.open(astronaut).getpixel((220, 300))


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "background_not_chosen"),
        (("--blur", "--colour", "00b140"), "background_not_chosen"),
        (("--colour", "green"), "colour_invalid"),
    ],
)
def test_background_says_what_is_wrong(mien, astronaut, tmp_path, words, code):
    exit_code, _, err = mien("background", astronaut, *words, "--output", tmp_path / "out.png")
    assert exit_code == 2
    assert f"error [{code}]" in err
    assert not (tmp_path / "out.png").exists()


def test_background_of_no_picture_is_bad_input(mien, tmp_path):
    (tmp_path / "a.png").write_bytes(b"")
    assert mien("background", tmp_path / "a.png", "--blur", "--output", tmp_path / "out.png")[0] == 3


def test_evaluate_attributes(mien, astronaut, tmp_path):
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps({astronaut.name: {"male": 0, "hat": 0, "upper_colour": "orange"}}))
    code, out, err = mien("evaluate", "attributes", "--images", astronaut.parent, "--truth", truth, "--json")
    record = json.loads(out)
    assert code == 0, err
    assert (record["people"], record["ma"]) == (1, None)
    assert set(record["attributes"]) >= {"male", "coat"}
    truth.write_text(json.dumps({"nobody.png": {"male": 0}}))
    assert mien("evaluate", "attributes", "--images", astronaut.parent, "--truth", truth, "--json")[0] == 3


def test_evaluate_detection_of_people_in_a_video(mien, clips, tmp_path):
    truth = tmp_path / "gt.txt"
    truth.write_text("1,1,10,10,20,40,1,-1,-1,-1\n")
    words = "evaluate", "detection", "--video", clips[1], "--truth", truth, "--json"
    code, out, _ = mien(*words)
    record = json.loads(out)
    assert code == 0
    assert (record["ap50"], record["frames"], record["model"]) == (0.0, 50, "yolox-nano")
    assert mien(*words, "--long-side", 640)[0] == 2
    assert mien("evaluate", "detection", "--truth", truth)[0] == 2
