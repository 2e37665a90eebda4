"""A checkpoint is there whole or not at all."""

import os

import pytest

pytest.importorskip("torch")

import torch

from mien.errors import BadInputError, UsageError
from mien.training.loop.checkpoint import checkpoint_path, keep_newest, load, newest, save, start_from


def test_tensors_and_state_come_back(tmp_path):
    tensors = {
        "flat": torch.arange(5),
        "strided": torch.randn(4, 6)[:, ::2],
        "half": torch.randn(3).bfloat16(),
        "last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "count": torch.tensor(7),
    }
    save(tmp_path / "a.safetensors", tensors, {"step": 3, "name": "größe"})
    found, state = load(tmp_path / "a.safetensors")
    assert state == {"step": 3, "name": "größe"}
    assert found.keys() == tensors.keys()
    for name, value in tensors.items():
        assert torch.equal(found[name], value)


def test_tied_weights_are_written_twice(tmp_path):
    weight = torch.randn(3, 3)
    save(tmp_path / "a.safetensors", {"one": weight, "two": weight, "part": weight[0]}, {})
    found, _ = load(tmp_path / "a.safetensors")
    assert torch.equal(found["two"], weight)
    assert torch.equal(found["part"], weight[0])


def test_a_failed_writing_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    save(path, {"one": torch.ones(2)}, {"step": 1})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        save(path, {"one": torch.zeros(2)}, {"step": 2})
    assert load(path)[1] == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["a.safetensors"]


@pytest.mark.parametrize("kept", [0, 5, 60])
def test_a_cut_file_is_bad_input(tmp_path, kept):
    path = tmp_path / "a.safetensors"
    save(path, {"one": torch.ones(20)}, {})
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BadInputError) as caught:
        load(path)
    assert caught.value.code == "checkpoint_damaged"


def test_the_newest_is_the_one_with_most_steps(tmp_path):
    assert newest(tmp_path) is None
    for step in (5, 900, 1000, 40):
        checkpoint_path(tmp_path, step).touch()
    (tmp_path / ".half.part").touch()
    assert newest(tmp_path) == checkpoint_path(tmp_path, 1000)
    keep_newest(tmp_path, 2)
    assert sorted(tmp_path.glob("step-*")) == [checkpoint_path(tmp_path, 900), checkpoint_path(tmp_path, 1000)]


def test_a_network_starts_from_what_fits(tmp_path):
    one, other = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
    save(tmp_path / "w.safetensors", {"weight": one.weight, "bias": torch.ones(9), "more": torch.ones(1)}, {})
    before = other.bias.clone()
    assert start_from(other, tmp_path / "w.safetensors") == 1
    assert torch.equal(other.weight, one.weight)
    assert torch.equal(other.bias, before)
    with pytest.raises(BadInputError) as caught:
        start_from(torch.nn.Linear(8, 8), tmp_path / "w.safetensors")
    assert caught.value.code == "checkpoint_other_model"
