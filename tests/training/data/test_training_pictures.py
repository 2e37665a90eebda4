"""Pictures become samples; broken ones are replaced by their neighbours."""

import numpy as np
import pytest

pytest.importorskip("torch")

from training_sets import write_people

from mien.errors import BadInputError
from mien.training.data.augmentation import RandomErasing
from mien.training.data.input_format import InputFormat
from mien.training.data.pictures import PictureFiles, Pictures, Together
from mien.training.readers.identity_folders import identity_folders

FORMAT = InputFormat(height=24, width=12)


def samples(folder, **options):
    return Pictures(identity_folders(str(folder)), FORMAT, **options)


def test_a_sample_has_the_picture_at_its_size_and_the_labels(tmp_path):
    data = samples(write_people(tmp_path / "set", identities=3, pictures=2))
    sample = data.sample(3, np.random.default_rng(0))
    assert sample["image"].shape == (24, 12, 3)
    assert (sample["identity"], sample["index"], sample["skipped"]) == (1, 3, -1)
    assert data.name(3) == "person1/1.png"


def test_a_sample_follows_from_index_and_generator(tmp_path):
    data = samples(write_people(tmp_path / "set"), augmentation=[RandomErasing(1.0)])
    first = data.sample(2, np.random.default_rng([7, 0, 5]))["image"]
    assert (first == data.sample(2, np.random.default_rng([7, 0, 5]))["image"]).all()
    assert (first != data.sample(2, np.random.default_rng([7, 1, 5]))["image"]).any()


def test_a_broken_picture_is_replaced_by_one_of_the_same_person(tmp_path):
    folder = write_people(tmp_path / "set", identities=3, pictures=3)
    whole = (folder / "person1" / "2.png").read_bytes()
    (folder / "person1" / "2.png").write_bytes(whole[: len(whole) // 2])
    data = samples(folder)
    sample = data.sample(5, np.random.default_rng(0))
    assert (sample["identity"], sample["index"], sample["skipped"]) == (1, 3, 5)
    assert (sample["image"] == data.plain(3)).all()


def test_nothing_can_stand_for_a_person_whose_pictures_are_all_broken(tmp_path):
    folder = write_people(tmp_path / "set", identities=2, pictures=2)
    for path in (folder / "person0").iterdir():
        path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(BadInputError, match=r"person0/0\.png") as caught:
        samples(folder).sample(0, np.random.default_rng(0))
    assert caught.value.code == "data_corrupt"


def test_without_identities_the_next_picture_stands_in(tmp_path):
    folder = write_people(tmp_path / "set", identities=1, pictures=3) / "person0"
    (folder / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    data = Pictures(PictureFiles(folder, ["0.png", "1.png", "2.png"], {}), FORMAT)
    assert data.sample(2, np.random.default_rng(0))["index"] == 0


def test_identities_are_numbered_without_gaps(tmp_path):
    files = PictureFiles(tmp_path, ["a", "b", "c"], {"identity": np.array([900, 7, 900])})
    assert files.labels["identity"].tolist() == [1, 0, 1]
    assert files.identities == [7, 900]


def test_normalization_is_that_of_the_format():
    import torch

    image = torch.arange(2 * 24 * 12 * 3, dtype=torch.int64).reshape(2, 24, 12, 3).to(torch.uint8)
    made = InputFormat(height=24, width=12, mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0)).tensor(image)
    assert made.shape == (2, 3, 24, 12)
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert float(made[1, 2, 3, 4]) == pytest.approx((float(image[1, 3, 4, 2]) - 3) / 6)


def test_several_sets_are_one_without_their_labels(tmp_path):
    first = identity_folders(str(write_people(tmp_path / "first", identities=2, pictures=2)))
    second = identity_folders(str(write_people(tmp_path / "second", identities=1, pictures=3)))
    data = Together([first, second])
    assert (len(data), data.labels, data.forbidden) == (7, {}, None)
    assert [data.name(index) for index in (0, 3, 4, 6)] == [
        first.name(0),
        first.name(3),
        second.name(0),
        second.name(2),
    ]
    assert (data.picture(3) == first.picture(3)).all()
    assert (data.picture(4) == second.picture(0)).all()


def test_several_sets_are_forbidden_where_one_is(tmp_path):
    folder = write_people(tmp_path / "set", identities=1, pictures=1)
    names = ["person0/0.png"]
    closed = PictureFiles(folder, names, {}, forbidden="a benchmark")
    assert Together([PictureFiles(folder, names, {}), closed]).forbidden == "a benchmark"
