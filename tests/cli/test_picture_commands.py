import json

import PIL.Image
import pytest

FACE = {"rect", "score", "landmarks", "orient", "face_3d", "age", "gender", "quality", "eyes"}


def test_analyze_prints_the_json_of_the_contract(mien, astronaut):
    code, out, err = mien("analyze", "--json", astronaut)
    record = json.loads(out)
    assert (code, err) == (0, "")
    assert list(record) == ["source", "width", "height", "face_num", "face_list", "milliseconds"]
    assert (record["source"], record["width"], record["height"], record["face_num"]) == (str(astronaut), 512, 512, 1)
    (face,) = record["face_list"]
    assert set(face) == FACE
    assert set(face["rect"]) == {"left", "top", "right", "bottom"}
    assert 150 < face["rect"]["left"] < 200 < 250 < face["rect"]["right"] < 290
    assert set(face["face_3d"]) == {"yaw", "pitch", "roll"}
    assert face["gender"] in ("female", "male")
    assert 25 < face["age"] < 55
    assert face["quality"] > 0.5
    assert (len(face["landmarks"]), face["orient"]) == (5, 0)
    assert set(record["milliseconds"]) == {"detection", "quality", "pose", "age_gender", "eyes"}


def test_only_what_is_asked_for_is_there(mien, astronaut):
    _, out, _ = mien("analyze", "--json", "--with", "mesh", astronaut)
    (face,) = json.loads(out)["face_list"]
    assert set(face) == {"rect", "score", "landmarks", "orient", "mesh"}
    assert (len(face["mesh"]), len(face["mesh"][0])) == (468, 3)


@pytest.mark.parametrize("unknown", ["beauty", "embedding"])
def test_an_unknown_feature_is_wrong_usage(mien, astronaut, unknown):
    code, out, err = mien("analyze", "--with", f"pose,{unknown}", astronaut)
    assert (code, out) == (2, "")
    assert unknown in err
    assert "age_gender" in err


def test_a_folder_is_a_line_a_picture_and_a_bad_one_stops_none(mien, astronaut, two_faces, tmp_path):
    folder = tmp_path / "Bilder"
    folder.mkdir()
    (folder / "b.png").write_bytes(two_faces.read_bytes())
    (folder / "a.png").write_bytes(b"")
    (folder / "notes.txt").write_text("not meant as a picture")
    code, out, err = mien("analyze", "--json", "--with", "", folder, astronaut)
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 3
    assert [record["face_num"] for record in records] == [2, 1]
    assert f"error [picture_empty]: {folder / 'a.png'}" in err
    assert "1 of 3 pictures" in err


def test_analyze_draws_the_faces(mien, astronaut, tmp_path):
    code, _, err = mien("analyze", "--with", "", "--draw", tmp_path / "neu" / "drawn", astronaut)
    (drawn,) = (tmp_path / "neu" / "drawn").iterdir()
    assert code == 0
    assert str(drawn.parent) in err
    assert drawn.name == "0000_eileen.jpg"
    assert PIL.Image.open(drawn).size == (512, 512)


def test_a_file_where_drawings_should_go_is_wrong_usage(mien, astronaut, tmp_path):
    (tmp_path / "file").write_text("here")
    code, _, err = mien("analyze", "--with", "", "--draw", tmp_path / "file", astronaut)
    assert code == 2
    assert "file_unwritable" in err


def test_verify_says_yes_with_0_and_no_with_1(mien, astronaut, two_faces, data):
    code, out, err = mien("verify", astronaut, two_faces, "--json")
    same = json.loads(out)
    assert code == 0
    assert list(same) == ["same", "similarity", "threshold", "fmr", "extrapolated", "faces", "model"]
    assert (same["same"], same["faces"], same["fmr"], same["extrapolated"]) == (True, [1, 2], 1e-4, False)
    assert same["similarity"] > 0.9 > same["threshold"] > 0
    assert "2 faces; the largest was taken" in err
    other = sorted(data("lfw_view1/images").glob("*/*.jpg"))[0]
    code, out, _ = mien("verify", astronaut, other, "--json")
    assert code == 1
    assert json.loads(out)["same"] is False


def test_verify_warns_of_a_rate_that_nobody_has_measured(mien, astronaut):
    code, out, err = mien("verify", astronaut, astronaut, "--fmr", "1e-7", "--json")
    assert (code, json.loads(out)["extrapolated"]) == (0, True)
    assert "cannot measure" in err


@pytest.mark.parametrize("rate", ["0", "1", "two", "1e-12"])
def test_an_impossible_rate_is_wrong_usage(mien, astronaut, rate):
    code, out, err = mien("verify", astronaut, astronaut, "--fmr", rate)
    assert (code, out) == (2, "")
    assert "--fmr" in err or "rate_out_of_range" in err


def test_cluster_groups_an_album(mien, data, tmp_path):
    images = data("lfw_view1/images")
    people = [folder for folder in sorted(images.iterdir()) if len(list(folder.iterdir())) >= 3][:3]
    album = tmp_path / "album"
    for person in people:
        (album / person.name).mkdir(parents=True)
        for picture in sorted(person.iterdir())[:3]:
            (album / person.name / picture.name).write_bytes(picture.read_bytes())
    (album / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    code, out, err = mien("cluster", album, "--json", "--sheet", tmp_path / "sheet.png")
    record = json.loads(out)
    assert code == 3
    assert [failure["code"] for failure in record["failed"]] == ["picture_truncated"]
    assert "broken.jpg" in err
    assert record["pictures"] == 10
    assert record["faces"] == sum(len(person["faces"]) for person in record["people"]) >= 9
    largest = [{face["source"].split("/")[-2] for face in person["faces"]} for person in record["people"][:3]]
    assert sorted(map(len, largest)) == [1, 1, 1]
    assert set.union(*largest) == {person.name for person in people}
    assert PIL.Image.open(tmp_path / "sheet.png").width > 400


def test_a_sheet_that_cannot_be_written_is_refused_before_the_work(mien, tmp_path):
    code, _, err = mien("cluster", tmp_path / "missing", "--sheet", tmp_path / "sheet.pdf")
    assert code == 2
    assert "picture_suffix" in err
