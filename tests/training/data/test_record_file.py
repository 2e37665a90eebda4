"""A record file gives back what the folder had."""

import pickle

import numpy as np
import pytest

pytest.importorskip("torch")

from training_sets import write_people

from mien.errors import BadInputError
from mien.training.data.pictures import PictureFiles
from mien.training.data.record_file import RecordFile, write_records
from mien.training.readers.identity_folders import identity_folders


@pytest.fixture
def folder(tmp_path):
    return write_people(tmp_path / "set", identities=4, pictures=3)


def test_everything_comes_back(folder, tmp_path):
    source = identity_folders(str(folder))
    source.labels["box"] = np.random.default_rng(0).random((12, 4)).astype(np.float32)
    seen = []
    write_records(source, tmp_path / "set.records", progress=lambda done, total: seen.append((done, total)))
    records = RecordFile(str(tmp_path / "set.records"))
    assert len(records) == 12
    assert seen[-1] == (12, 12)
    assert [records.name(index) for index in range(12)] == source.names
    assert records.identities == source.identities
    for name, values in source.labels.items():
        assert records.labels[name].dtype == values.dtype
        assert (records.labels[name] == values).all()
    for index in (0, 5, 11):
        assert (records.picture(index) == source.picture(index)).all()


def test_what_must_not_be_trained_on_stays_so(folder, tmp_path):
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.png"))]
    source = PictureFiles(folder, names, {}, forbidden="a benchmark", attributes=["hat"])
    write_records(source, tmp_path / "set.records")
    records = RecordFile(str(tmp_path / "set.records"))
    assert records.forbidden == "a benchmark"
    assert records.attributes == ["hat"]


def test_a_broken_picture_is_kept_and_says_so_when_it_is_read(folder, tmp_path):
    (folder / "person1" / "0.png").write_bytes((folder / "person1" / "0.png").read_bytes()[:70])
    write_records(identity_folders(str(folder)), tmp_path / "set.records")
    with pytest.raises(BadInputError, match=r"person1/0\.png"):
        RecordFile(str(tmp_path / "set.records")).picture(3)


def test_a_failed_writing_leaves_nothing(folder, tmp_path):
    source = identity_folders(str(folder))
    (folder / "person3" / "2.png").unlink()
    with pytest.raises(BadInputError, match=r"person3/2\.png"):
        write_records(source, tmp_path / "set.records")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_file_is_bad_input(folder, tmp_path, damage):
    path = tmp_path / "set.records"
    write_records(identity_folders(str(folder)), path)
    whole = path.read_bytes()
    path.write_bytes({"cut": whole[:-20], "empty": b"", "other": b"x" * 5000}[damage])
    with pytest.raises(BadInputError) as caught:
        RecordFile(str(path))
    assert caught.value.code == "records_damaged"


def test_another_process_can_have_it(folder, tmp_path):
    write_records(identity_folders(str(folder)), tmp_path / "set.records")
    handed_on = pickle.dumps(RecordFile(str(tmp_path / "set.records")))
    assert len(handed_on) < 1000
    records = pickle.loads(handed_on)
    assert records.name(11) == "person3/2.png"
