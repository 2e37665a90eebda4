"""MATLAB's files are read as SciPy reads them."""

import numpy as np
import pytest

pytest.importorskip("torch")

from scipy.io import loadmat, savemat

from mien.errors import BadInputError
from mien.training.data.matlab_file import read_matlab


@pytest.mark.parametrize("compressed", [False, True])
def test_numbers_text_cells_and_structs(tmp_path, compressed):
    cells = np.empty((2, 3), object)
    for place in np.ndindex(2, 3):
        cells[place] = np.arange(place[1] + 1.0) if place[0] else f"text {place[1]}"
    table = {
        "doubles": np.arange(6.0).reshape(2, 3),
        "bytes": np.arange(5, dtype=np.uint8),
        "wide": np.array([[-(2**40), 7]], np.int64),
        "cells": cells,
        "record": {"one": np.arange(3), "name": "Größe", "inner": {"x": 1.5}},
        "nothing": np.empty((0, 0)),
    }
    path = tmp_path / "labels.mat"
    savemat(path, table, do_compression=compressed)
    ours, theirs = read_matlab(path), loadmat(path)
    for name in ("doubles", "bytes", "wide", "nothing"):
        assert ours[name].tolist() == theirs[name].tolist()
    for place in np.ndindex(2, 3):
        value = theirs["cells"][place]
        assert ours["cells"][place] == value.item() if place[0] == 0 else (ours["cells"][place] == value).all()
    record = theirs["record"][0, 0]
    assert ours["record"]["one"].tolist() == record["one"].tolist()
    assert ours["record"]["name"] == "Größe"
    assert ours["record"]["inner"]["x"].item() == 1.5


def test_an_array_of_structs(tmp_path):
    records = np.zeros((1, 3), [("age", object), ("name", object)])
    for number in range(3):
        records[0, number] = (np.array([[number]]), f"n{number}")
    savemat(tmp_path / "labels.mat", {"people": records})
    people = read_matlab(tmp_path / "labels.mat")["people"]
    assert [person["name"] for person in people.flat] == ["n0", "n1", "n2"]
    assert [person["age"].item() for person in people.flat] == [0, 1, 2]


@pytest.mark.parametrize("kept", [0, 100, 140, 400])
def test_a_cut_file_is_bad_input(tmp_path, kept):
    path = tmp_path / "labels.mat"
    savemat(path, {"values": np.random.default_rng(0).random((20, 20))})
    path.write_bytes(path.read_bytes()[:kept])
    if kept == 140:
        path.write_bytes(path.read_bytes() + b"\xff" * 40)
    with pytest.raises(BadInputError) as caught:
        read_matlab(path)
    assert caught.value.code == "matlab_damaged"
