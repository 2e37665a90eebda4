"""The loop: figures, resuming to the last bit, and every way a run can go wrong."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from training_sets import recipe_text, run_elsewhere, write_people

from mien.errors import BadInputError, UsageError
from mien.training.loop.checkpoint import load
from mien.training.loop.metrics_log import read_metrics
from mien.training.loop.trainer import train
from mien.training.recipe import load_recipe


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("set") / "people")


@pytest.fixture
def recipe(tmp_path, people):
    path = tmp_path / "small.toml"
    path.write_text(recipe_text(people))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory, people):
    """A run that nothing happened to, and what it returned."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "small.toml").write_text(recipe_text(people))
    torch.set_num_threads(1)
    seen = []
    result = train(load_recipe(folder / "small.toml"), folder / "run", report=seen.append)
    return folder / "run", result, seen


def losses(run):
    return [(row["step"], row["loss"], row["softmax"]) for row in read_metrics(run / "metrics.jsonl", "train")]


def code_of(call):
    with pytest.raises((BadInputError, UsageError)) as caught:
        call()
    return caught.value.code, str(caught.value)


def test_a_run_leaves_what_it_promises(whole):
    run, result, seen = whole
    assert {path.name for path in run.iterdir()} == {
        "recipe.toml",
        "environment.json",
        "checkpoints",
        "metrics.jsonl",
        "events",
        "weights.safetensors",
        "result.json",
    }
    assert json.loads((run / "result.json").read_text()) == result
    assert (result["name"], result["steps"], result["skipped"]) == ("small", 12, 0)
    assert [step for step, *_ in losses(run)] == list(range(1, 13))
    assert [path.name for path in sorted((run / "checkpoints").iterdir())] == [
        "step-000000008.safetensors",
        "step-000000012.safetensors",
    ]
    assert (seen[-1].step, seen[-1].steps, seen[-1].epoch) == (12, 12, 4)
    assert seen[-1].figures == result["last"]
    assert json.loads((run / "environment.json").read_text())["seed"] == 3
    assert load_recipe(run / "recipe.toml").name == "small"


def test_the_loss_falls(recipe, tmp_path):
    changes = ["optimizer.learning_rate=0.01", "data.augmentation=[]", "task.triplet=0.0", "task.smoothing=0.0"]
    train(load_recipe(recipe, [*changes, "epochs=10"]), tmp_path / "run")
    values = [loss for _, loss, _ in losses(tmp_path / "run")]
    assert sum(values[-6:]) < 0.9 * sum(values[:6])


def test_the_kept_weights_are_the_averaged_ones(whole):
    run, *_ = whole
    weights, state = load(run / "weights.safetensors")
    last, _ = load(run / "checkpoints" / "step-000000012.safetensors")
    assert state["step"] == 12
    assert all(torch.equal(value, last[f"average.{name}"]) for name, value in weights.items())
    assert any(not torch.equal(value, last[f"task.network.{name}"]) for name, value in weights.items())


def test_a_killed_run_goes_on_to_the_last_bit(recipe, tmp_path, whole):
    run = tmp_path / "run"
    with subprocess.Popen(run_elsewhere(recipe, run), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if int(line) == 6:  # in the middle of the second epoch, two steps after a checkpoint
                process.send_signal(signal.SIGKILL)
                break
        process.wait()
    assert not (run / "result.json").exists()
    assert not (run / "checkpoints" / "step-000000012.safetensors").exists()
    result = train(load_recipe(recipe), run, resume=True)
    assert losses(run) == losses(whole[0])
    assert result["last"] == whole[1]["last"]
    mine, theirs = load(run / "weights.safetensors")[0], load(whole[0] / "weights.safetensors")[0]
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_a_finished_run_is_only_read(whole):
    run, result, _ = whole
    before = (run / "metrics.jsonl").read_bytes()
    assert train(load_recipe(run / "recipe.toml"), run, resume=True) == result
    assert (run / "metrics.jsonl").read_bytes() == before


def test_a_run_is_never_overwritten(recipe, tmp_path, whole):
    code, message = code_of(lambda: train(load_recipe(recipe), whole[0]))
    assert (code, "--resume" in message) == ("run_exists", True)
    (tmp_path / "file").touch()
    assert code_of(lambda: train(load_recipe(recipe), tmp_path / "file"))[0] == "run_exists"
    assert code_of(lambda: train(load_recipe(recipe), tmp_path / "none", resume=True))[0] == "run_missing"


def test_a_run_goes_on_with_its_own_recipe_only(recipe, tmp_path):
    first = load_recipe(recipe, ["epochs=1"])
    train(first, tmp_path / "run")
    (tmp_path / "run" / "result.json").unlink()
    other = load_recipe(recipe, ["epochs=1", "optimizer.learning_rate=0.5", "loop.workers=1"])
    code, message = code_of(lambda: train(other, tmp_path / "run", resume=True))
    assert code == "run_other_recipe"
    assert "optimizer.learning_rate (0.001 -> 0.5)" in message
    assert "workers" not in message


@pytest.mark.parametrize("optimizer", ["muon", "sgd"])
def test_other_optimizers_and_pieces_resume_too(recipe, tmp_path, optimizer):
    changes = [f"optimizer.class=mien.training.loop.optimizers.{optimizer}", "epochs=1", "loop.accumulate=2"]
    settings = load_recipe(recipe, [*changes, "loop.checkpoint_steps=2", "loop.clip_norm=1.0"])
    one, other = tmp_path / "one", tmp_path / "other"
    train(settings, one)
    train(settings, other)
    (other / "result.json").unlink()
    (other / "checkpoints" / "step-000000003.safetensors").unlink()
    train(settings, other, resume=True)
    assert losses(one) == losses(other)
    mine, theirs = load(one / "weights.safetensors")[0], load(other / "weights.safetensors")[0]
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)
    assert 0 < read_metrics(one / "metrics.jsonl", "train")[0]["gradient_norm"] < 1e4


def test_mixed_precision_trains(recipe, tmp_path):
    result = train(load_recipe(recipe, ["loop.precision=bfloat16", "loop.threads=2", "epochs=1"]), tmp_path / "run")
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["threads"] == 2
    assert 0 < result["last"]["loss"] < 20
    assert all(value.dtype != torch.bfloat16 for value in load(tmp_path / "run" / "weights.safetensors")[0].values())


def test_a_loss_that_is_no_number_names_the_step(recipe, tmp_path):
    wild = load_recipe(recipe, ["optimizer.learning_rate=1e30", "schedule.warm_up=0", "loop.checkpoint_steps=1"])
    code, message = code_of(lambda: train(wild, tmp_path / "run"))
    assert code == "loss_not_finite"
    step = int(message.split()[1].rstrip(":"))
    assert 2 <= step <= 4
    assert f"step-{step - 1:09d}" in message
    assert [number for number, *_ in losses(tmp_path / "run")] == list(range(1, step))


def test_broken_pictures_are_listed_and_too_many_end_the_run(tmp_path):
    folder = write_people(tmp_path / "set", identities=26, pictures=4)
    sampler = '{ class = "mien.training.data.samplers.RandomSampler", batch = 26 }'
    (tmp_path / "small.toml").write_text(recipe_text(folder, workers=1))
    recipe = load_recipe(tmp_path / "small.toml", [f"sampler={sampler}", "epochs=1"])
    (folder / "person7" / "2.png").write_bytes((folder / "person7" / "2.png").read_bytes()[:99])
    result = train(recipe, tmp_path / "run")
    assert result["skipped"] == 1
    assert (tmp_path / "run" / "skipped.txt").read_text() == "person7/2.png\n"
    (folder / "person9" / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    code, message = code_of(lambda: train(recipe, tmp_path / "again"))
    assert code == "skipped_too_many"
    assert "2 of 104 pictures" in message
    assert "skipped.txt" in message


def test_what_is_not_for_training_is_refused(tmp_path, recipe):
    folder = (tmp_path / "lfw").as_posix()
    reader = f'{{ class = "mien.training.readers.lfw.lfw", folder = "{folder}" }}'
    write_people(tmp_path / "lfw")
    code, message = code_of(lambda: train(load_recipe(recipe, [f"data.source={reader}"]), tmp_path / "run"))
    assert (code, "LFW" in message) == ("split_forbidden", True)


def test_one_picture_an_identity_is_said_at_once(tmp_path):
    folder = write_people(tmp_path / "set", pictures=1)
    (tmp_path / "small.toml").write_text(recipe_text(folder))
    code, message = code_of(lambda: train(load_recipe(tmp_path / "small.toml"), tmp_path / "run"))
    assert (code, "one picture" in message) == ("data_one_picture", True)


def test_a_batch_that_cannot_be_cut_is_said_at_once(recipe, tmp_path):
    code, message = code_of(lambda: train(load_recipe(recipe, ["loop.accumulate=3"]), tmp_path / "run"))
    assert (code, "batch of 8" in message) == ("batch_uneven", True)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process as Linux does")
def test_out_of_memory_says_what_to_lower(recipe, tmp_path):
    code = (
        "import os, resource, sys, torch; torch.set_num_threads(1)\n"
        "from mien.training.loop import trainer; from mien.training.recipe import load_recipe\n"
        "from mien.errors import MienError\n"
        "recipe = load_recipe(sys.argv[1], ['input.height=768', 'input.width=768'])\n"
        "pages = int(open('/proc/self/statm').read().split()[0])\n"
        "limit = pages * resource.getpagesize() + (160 << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "try: trainer.train(recipe, sys.argv[2])\n"
        "except MienError as error: print(error.code, error)\n"
    )
    command = [sys.executable, "-c", code, os.fspath(recipe), os.fspath(tmp_path / "run")]
    output = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert output.stdout.startswith("out_of_memory step 1:"), output
    assert "batch of 8 pictures of 768 x 768" in output.stdout
    assert "accumulate" in output.stdout


SHARDED = """
[task]
class = "mien.training.tasks.recognition.Recognition"
head = { class = "mien.training.heads.cosface.CosFace", scale = 8.0, margin = 0.1 }
sharded = true
"""


def test_two_ranks_share_the_work_and_one_goes_on_alone(people, tmp_path):
    text = recipe_text(people).replace('[task]\nclass = "mien.training.tasks.identification.Identification"\n', SHARDED)
    (tmp_path / "small.toml").write_text(text)
    run = tmp_path / "run"
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "--no-python",
        "--",
    ]
    mien = os.fspath(Path(sys.executable).with_name("mien"))
    command = [*torchrun, mien, "train", os.fspath(tmp_path / "small.toml"), "--run", os.fspath(run), "--json"]
    output = subprocess.run(
        command, capture_output=True, text=True, timeout=200, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert output.returncode == 0, output.stderr
    assert len(output.stdout.splitlines()) == 1
    assert json.loads(output.stdout)["steps"] == 12
    tensors, _ = load(run / "checkpoints" / "step-000000008.safetensors")
    assert tensors["task.classifier.weight"].shape == (6, 16)  # both ranks' classes

    (run / "result.json").unlink()
    (run / "checkpoints" / "step-000000012.safetensors").unlink()
    before = [row["loss"] for row in read_metrics(run / "metrics.jsonl", "train")]
    train(load_recipe(tmp_path / "small.toml"), run, resume=True)
    after = [row["loss"] for row in read_metrics(run / "metrics.jsonl", "train")]
    assert after[:8] == before[:8]
    # Batch normalization sees the whole batch now, so the losses are near and not the same.
    assert after[8:] == pytest.approx(before[8:], rel=0.3)
