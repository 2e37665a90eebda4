"""Readers know what is for training; their counts are those of the published sets."""

import numpy as np
import PIL.Image
import pytest

pytest.importorskip("torch")

from training_sets import write_people

from mien.errors import BadInputError
from mien.training.readers.fer2013 import EXPRESSIONS, fer2013
from mien.training.readers.identity_folders import identity_folders
from mien.training.readers.lfw import lfw
from mien.training.readers.market1501 import market1501
from mien.training.readers.peta import peta
from mien.training.readers.split import part_of
from mien.training.readers.utkface import utkface
from mien.training.readers.wider_face import wider_face


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path)


def test_the_rule_is_the_stated_one():
    # sha256("a") = ca97...bb: mod 5, worked out with another tool
    assert int("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", 16) % 5 == 4
    assert part_of("a") == "train"
    parts = [part_of(str(number)) for number in range(5000)]
    assert parts.count("report") == pytest.approx(1000, abs=90)
    assert parts.count("choose") == pytest.approx(1000, abs=90)


def test_market_names_become_labels(data):
    found = market1501(str(data("market_dev")))
    assert (len(found), len(found.identities)) == (1417, 80)
    first = found.names[0]
    assert first.startswith(f"{found.identities[0]:04d}_c{found.labels['camera'][0] + 1}s{found.labels['sequence'][0]}")
    assert found.forbidden is None


def test_market_can_be_cut_by_people(data):
    folder = str(data("market_dev"))
    some, rest = market1501(folder, first_identities=60), market1501(folder, skip_identities=60)
    assert (len(some.identities), len(rest.identities)) == (60, 20)
    assert max(some.identities) < min(rest.identities)
    assert len(some) + len(rest) == 1417
    assert np.unique(rest.labels["identity"]).tolist() == list(range(20))


@pytest.mark.parametrize("inner", [True, False])
@pytest.mark.parametrize(("part", "folder"), [("query", "query"), ("gallery", "bounding_box_test")])
def test_markets_test_is_not_for_training(tmp_path, part, folder, inner):
    write(tmp_path / "set" / folder / "0003_c1s1_000451_03.jpg")
    asked = market1501(str(tmp_path / "set"), part) if not inner else market1501(str(tmp_path / "set" / folder))
    assert "reporting" in asked.forbidden


def test_markets_junk_shows_that_it_is_the_test(tmp_path):
    for name in ("-1_c1s1_000401_03.jpg", "0000_c1s1_000401_03.jpg", "0001_c1s1_000401_03.jpg"):
        write(tmp_path / name)
    assert market1501(str(tmp_path)).forbidden is not None


def test_lfw_is_never_for_training(data):
    faces = lfw(str(data("lfw_view1/images")))
    assert len(faces) == 1549
    assert "nothing is ever trained" in faces.forbidden


def test_fer2013_has_official_parts(tmp_path):
    for name in ("train/happy/1.jpg", "train/angry/2.jpg", "test/sad/3.jpg", "train/notes/4.jpg"):
        write(tmp_path / name)
    trained, tested = fer2013(str(tmp_path)), fer2013(str(tmp_path), "test")
    assert trained.names == ["train/angry/2.jpg", "train/happy/1.jpg"]
    assert [EXPRESSIONS[number] for number in trained.labels["expression"]] == ["angry", "happy"]
    assert (trained.forbidden, "measuring" in tested.forbidden) == (None, True)
    with pytest.raises(BadInputError) as caught:
        fer2013(str(tmp_path), "validation")
    assert caught.value.code == "data_missing"


def test_utkface_is_cut_by_the_rule(data):
    folder = str(data("utk_dev"))
    chosen = utkface(folder, "choose")
    assert len(chosen) == 400
    assert "measuring" in chosen.forbidden
    age, gender = chosen.names[7].split("_")[:2]
    assert (chosen.labels["age"][7], chosen.labels["gender"][7]) == (int(age), int(gender))
    with pytest.raises(BadInputError) as caught:
        utkface(folder)
    assert caught.value.code == "data_empty"


def test_wider_reads_the_official_boxes(tmp_path):
    from scipy.io import savemat

    names = [f"0_Parade_{number}" for number in range(12)]
    for name in names:
        write(tmp_path / "images" / "0--Parade" / f"{name}.jpg")
    files, boxes = np.empty((12, 1), object), np.empty((12, 1), object)
    for number, name in enumerate(names):
        files[number, 0], boxes[number, 0] = name, np.array([[number, 2, 3, 4]])

    def cell(value):
        held = np.empty((1, 1), object)
        held[0, 0] = value
        return held

    truth = {"event_list": cell("0--Parade"), "file_list": cell(files), "face_bbx_list": cell(boxes)}
    savemat(tmp_path / "truth.mat", truth, do_compression=True)
    found = wider_face(str(tmp_path / "images"), str(tmp_path / "truth.mat"))
    assert found.names == [
        f"0--Parade/{name}.jpg" for name in sorted(names) if part_of(f"0--Parade/{name}.jpg") == "train"
    ]
    number = int(found.names[1].split("_")[-1].removesuffix(".jpg"))
    assert found.labels["boxes"][1].tolist() == [[number, 2, number + 3, 6]]


def test_peta_names_people_and_attributes(tmp_path):
    for name in [f"{number}_1_FRAME_26_RGB.bmp" for number in range(30)]:
        write(tmp_path / "3DPeS" / "archive" / name)
    for number in range(30):
        write(tmp_path / "CUHK" / "archive" / f"{number:04d}.png")
    lines = [f"{number} hairShort {'personalMale' if number % 2 else 'personalFemale'}" for number in range(30)]
    (tmp_path / "3DPeS" / "archive" / "Label.txt").write_text("\n".join(lines))
    (tmp_path / "CUHK" / "archive" / "Label.txt").write_text(
        "\n".join(f"{n:04d}.png carryingBackpack" for n in range(29))
    )
    parts = {part: peta(str(tmp_path), part) for part in ("train", "choose", "report")}
    assert sum(len(part) for part in parts.values()) == 59  # one has no label
    found = parts["train"]
    assert found.forbidden is None
    assert parts["report"].forbidden is not None
    assert found.attributes == ["carryingBackpack", "hairShort", "personalFemale", "personalMale"]
    for name, row in zip(found.names, found.labels["attributes"], strict=True):
        if name.startswith("3DPeS"):
            number = int(name.split("/")[-1].split("_")[0])
            assert row.tolist() == [0, 1, 1 - number % 2, number % 2]
        else:
            assert row.tolist() == [1, 0, 0, 0]
    assert "3DPeS/1" in parts["train"].identities + parts["choose"].identities + parts["report"].identities


def test_folders_name_identities(tmp_path):
    folder = write_people(tmp_path / "set", identities=3, pictures=2)
    (folder / "person1" / "more").mkdir()
    (folder / "person1" / "0.png").rename(folder / "person1" / "more" / "0.png")
    (folder / "person2" / "notes.txt").write_text("no picture")
    (folder / ".hidden").mkdir()
    (folder / "empty").mkdir()
    found = identity_folders(str(folder))
    assert found.identities == ["person0", "person1", "person2"]
    assert found.labels["identity"].tolist() == [0, 0, 1, 1, 2, 2]
    (folder / "person2" / "0.png").unlink()
    assert identity_folders(str(folder), least_pictures=2).identities == ["person0", "person1"]


def test_an_empty_or_missing_folder_says_what_is_expected(tmp_path):
    for reader, name in (
        (identity_folders, "ada"),
        (market1501, "0002_c1s1"),
        (utkface, "no picture"),
        (peta, "no picture"),
    ):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(BadInputError, match=name) as caught:
            reader(str(tmp_path / "empty"))
        assert caught.value.code == "data_empty"
        with pytest.raises(BadInputError, match="no such folder") as caught:
            reader(str(tmp_path / "missing"))
        assert caught.value.code == "data_missing"
