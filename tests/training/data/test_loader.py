"""Batches are the same whoever makes them."""

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from training_sets import write_people

from mien.errors import BadInputError
from mien.training.data.augmentation import Blur, RandomErasing
from mien.training.data.input_format import InputFormat
from mien.training.data.loader import batches
from mien.training.data.pictures import Pictures
from mien.training.data.samplers import IdentitySampler
from mien.training.readers.identity_folders import identity_folders


@pytest.fixture
def data(tmp_path):
    source = identity_folders(str(write_people(tmp_path / "set")))
    return Pictures(source, InputFormat(height=16, width=8), [RandomErasing(1.0)])


def stream(data, **options):
    sampler = IdentitySampler(data, seed=1, identities=4, pictures=2)
    return list(batches(data, sampler, seed=9, epochs=3, **options))


def same(one, other):
    return len(one) == len(other) and all(
        first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
        for first, second in zip(one, other, strict=True)
    )


def test_the_whole_run_in_order(data):
    found = stream(data)
    assert len(found) == 9
    assert found[0]["image"].shape == (8, 16, 8, 3)
    assert found[0]["image"].dtype == torch.uint8
    assert found[0]["identity"].dtype == torch.int64
    assert not torch.equal(found[0]["image"], found[3]["image"])


@pytest.mark.parametrize("first_step", [1, 3, 5, 8])
def test_a_run_taken_up_goes_on_as_it_would_have(data, first_step):
    assert same(stream(data, first_step=first_step), stream(data)[first_step:])


def test_ranks_have_pieces_of_the_same_batches(data):
    whole = stream(data)
    pieces = [stream(data, rank=rank, ranks=2) for rank in range(2)]
    together = [
        {name: torch.cat([first[name], second[name]]) for name in first} for first, second in zip(*pieces, strict=True)
    ]
    assert same(together, whole)
    assert len(np.unique(pieces[0][0]["identity"])) == 2


def test_workers_make_the_same_batches(data):
    # OpenCV's threads are awake in this process: a forked one must not wait for them.
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (0, 0), 3)
    threads = cv2.getNumThreads()
    assert same(stream(data, workers=2), stream(data))
    assert cv2.getNumThreads() == threads


def test_workers_do_what_opencv_does_in_parallel(tmp_path):
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (0, 0), 3)
    source = identity_folders(str(write_people(tmp_path / "set", size=(700, 700), pictures=2)))
    data = Pictures(source, InputFormat(height=600, width=600), [Blur(1.0, (2.0, 3.0))])
    sampler = IdentitySampler(data, seed=1, identities=2, pictures=2)
    assert len(list(batches(data, sampler, seed=9, epochs=1, workers=1))) == sampler.batches


@pytest.mark.parametrize("workers", [0, 1])
def test_an_error_of_the_data_arrives_as_it_is_from_any_process(data, tmp_path, workers):
    for file in (tmp_path / "set").rglob("*.*"):
        file.write_bytes(b"no picture")
    with pytest.raises(BadInputError) as caught:
        stream(data, workers=workers)
    assert caught.value.code == "data_corrupt"
