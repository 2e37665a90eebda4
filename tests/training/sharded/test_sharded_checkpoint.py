import json
import time

import pytest

torch = pytest.importorskip("torch")

import gloo_ranks  # noqa: E402
import shard_training  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

from mien.errors import BadInputError, UsageError  # noqa: E402
from mien.training.sharded import sharded_checkpoint  # noqa: E402
from mien.training.sharded.sharding import class_range  # noqa: E402


def losses_in(path):
    """Loss by step; a line that is being written is left out."""
    return dict(json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines())


@pytest.mark.parametrize("rate", [1.0, 0.4])
def test_a_killed_run_goes_on_with_more_and_fewer_ranks_and_has_the_same_losses(rate, tmp_path):
    (whole := tmp_path / "whole").mkdir()
    gloo_ranks.run(shard_training.train, 1, tmp_path, 1, whole, tmp_path / "whole.jsonl", rate, False)
    expected = losses_in(tmp_path / "whole.jsonl")
    assert list(expected) == list(range(1, 41))

    (folder := tmp_path / "killed").mkdir()
    log, step = tmp_path / "killed.jsonl", 0
    for ranks in (2, 3):
        processes = gloo_ranks.start(shard_training.train, ranks, tmp_path, ranks, folder, log, rate, True)
        wait_for(lambda step=step: log.exists() and len(losses_in(log)) >= step + 8)
        for process in processes:
            process.kill()
            process.join()
        step = max(losses_in(log))
        assert step < 40
    gloo_ranks.run(shard_training.train, 1, tmp_path, 1, folder, log, rate, False)
    found = losses_in(log)
    assert list(found) == list(expected)
    assert list(found.values()) == pytest.approx(list(expected.values()), rel=1e-9)
    assert expected[40] < expected[1]


def wait_for(condition):
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.005)


def test_the_file_is_the_same_for_any_number_of_ranks(tmp_path):
    weight = torch.arange(7 * 5, dtype=torch.float32).reshape(7, 5)
    contents = []
    for ranks in (1, 2, 3):
        path = tmp_path / f"{ranks}.safetensors"
        gloo_ranks.run(shard_training.save_given, ranks, tmp_path, ranks, path, weight)
        contents.append(path.read_bytes())
        assert [left.name for left in tmp_path.glob(".*")] == []
    assert contents[0] == contents[1] == contents[2]
    tensors = load_file(path)
    assert torch.equal(tensors["a.weight"], weight)
    assert tensors["scale"] == 2.5
    assert tensors["flags"].tolist() == [True] * 3
    tensors, state = sharded_checkpoint.load(path, class_range(7, 1, 2))
    assert torch.equal(tensors["a.weight"], weight[4:])
    assert tensors["scale"] == 2.5
    assert state == {"step": 4}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32])
def test_all_kinds_of_numbers_come_back(dtype, tmp_path):
    path = tmp_path / "x.safetensors"
    values = torch.arange(6).reshape(3, 2).to(dtype)
    # One byte before eight: lying one after the other they would not be aligned.
    tensors = {"a": torch.ones(3, dtype=torch.uint8), "w": values, "empty": torch.zeros(0, 4)}
    shard = class_range(3, 0, 1)
    sharded_checkpoint.save(path, tensors, {}, sliced={"w"}, shard=shard)
    found, _ = sharded_checkpoint.load(path, shard)
    for name, tensor in tensors.items():
        assert torch.equal(found[name], tensor)


def test_a_save_that_was_cut_off_leaves_the_old_file_and_the_next_one_works(tmp_path):
    path, shard = tmp_path / "x.safetensors", class_range(3, 0, 1)
    sharded_checkpoint.save(path, {"w": torch.ones(3, 2)}, {"step": 1}, sliced={"w"}, shard=shard)
    (tmp_path / ".x.safetensors.part").write_bytes(b"a" * 10_000)
    assert sharded_checkpoint.load(path, shard)[1] == {"step": 1}
    sharded_checkpoint.save(path, {"w": torch.zeros(3, 2)}, {"step": 2}, sliced={"w"}, shard=shard)
    assert sharded_checkpoint.load(path, shard)[1] == {"step": 2}


def test_damage_is_told(tmp_path):
    path, shard = tmp_path / "x.safetensors", class_range(300, 0, 1)
    sharded_checkpoint.save(path, {"w": torch.ones(300, 20)}, {}, sliced={"w"}, shard=shard)
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[:5], b"", b"no checkpoint at all, but long enough to be one"):
        path.write_bytes(broken)
        with pytest.raises(BadInputError, match="is no whole safetensors file") as raised:
            sharded_checkpoint.load(path, shard)
        assert raised.value.code == "checkpoint_damaged"


def test_a_checkpoint_of_other_identities_is_told(tmp_path):
    path = tmp_path / "x.safetensors"
    sharded_checkpoint.save(path, {"w": torch.ones(3, 2)}, {}, sliced={"w"}, shard=class_range(3, 0, 1))
    with pytest.raises(BadInputError, match="w has 3 classes, the classifier 4") as raised:
        sharded_checkpoint.load(path, class_range(4, 0, 2))
    assert raised.value.code == "checkpoint_other_model"


def test_where_one_rank_cannot_write_all_are_told(tmp_path):
    path = tmp_path / "x.safetensors"
    first, second = gloo_ranks.run(shard_training.save_where_one_rank_cannot, 2, tmp_path, 2, path)
    assert "another rank could not write its part" in first[0]
    assert "cannot be written" in second[0]
    assert not path.exists()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    path = tmp_path / "nowhere" / "x.safetensors"
    with pytest.raises(UsageError, match="cannot be written") as raised:
        sharded_checkpoint.save(path, {"w": torch.ones(3, 2)}, {}, sliced={"w"}, shard=class_range(3, 0, 1))
    assert raised.value.code == "file_unwritable"
