"""Schedules, the average, the log and the list of skipped pictures."""

import json
import struct

import pytest

pytest.importorskip("torch")

import torch
from tensorboardX.proto import event_pb2

from mien.errors import BadInputError
from mien.training.data.skipped import SkippedPictures
from mien.training.loop.ema import Average
from mien.training.loop.metrics_log import MetricsLog, read_metrics
from mien.training.loop.schedule import Cosine, Steps
from mien.training.tasks.colour_stripes import colour_stripes


def scalars(path):
    """What TensorBoard reads of an event file: records of a length, its checksum, an event, its checksum."""
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack_from("<Q", data)
        event = event_pb2.Event.FromString(data[12 : 12 + length])
        found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        data = data[16 + length :]
    return found


def test_cosine_rises_then_falls_to_its_last():
    schedule = Cosine(warm_up=5, last=0.1)
    values = [schedule(epoch / 10, 50) for epoch in range(501)]
    assert values[0] == 0
    assert max(values) == values[50] == 1
    assert values[-1] == pytest.approx(0.1)
    assert sorted(values[50:], reverse=True) == values[50:]


def test_steps_multiply_and_must_rise():
    schedule = Steps(at=[10, 20.5], factor=0.5, warm_up=2)
    assert [schedule(epoch, 30) for epoch in (1, 2, 9.9, 10, 20.4, 20.5, 29)] == [0.5, 1, 1, 0.5, 0.5, 0.25, 0.25]
    with pytest.raises(BadInputError):
        Steps(at=[20, 10])


def test_the_average_is_the_written_recursion():
    network = torch.nn.BatchNorm1d(3)
    average = Average(network, 0.9)
    expected = network.weight.detach().double().clone()
    for step in range(200):
        network.weight.data = torch.randn(3)
        network.num_batches_tracked += 1
        average.update(network)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach().double()
    assert torch.allclose(average.network.weight.double(), expected, atol=1e-6)
    assert average.network.num_batches_tracked == 200
    assert not average.network.weight.requires_grad


def test_a_log_taken_up_drops_what_came_after(tmp_path):
    lines = tmp_path / "metrics.jsonl"
    log = MetricsLog(lines, tmp_path / "events")
    for step in range(1, 6):
        log.write("train", step, {"loss": float(step)})
    log.close()
    with lines.open("a") as file:
        file.write('{"kind": "train", "st')  # killed while it wrote
    log = MetricsLog(lines, tmp_path / "events", after=3)
    log.write("train", 4, {"loss": 40.0})
    log.write("evaluation", 4, {"map": 0.5})
    log.close()
    assert [(row["step"], row["loss"]) for row in read_metrics(lines, "train")] == [(1, 1), (2, 2), (3, 3), (4, 40)]
    assert [json.loads(line)["step"] for line in lines.read_text().splitlines()] == [1, 2, 3, 4, 4]
    first, second = sorted((tmp_path / "events").glob("events.out.tfevents.*"), key=lambda path: path.suffix == ".3")
    assert scalars(first) == [(step, "train/loss", step) for step in range(1, 6)]
    assert scalars(second) == [(4, "train/loss", 40.0), (4, "evaluation/map", 0.5)]


def test_skipped_pictures_are_counted_once_and_end_the_run_past_one_percent(tmp_path):
    class Set:
        def __len__(self):
            return 300

        def name(self, index):
            return f"{index}.jpg"

    path = tmp_path / "skipped.txt"
    skipped = SkippedPictures(path, Set())
    for indices in ([-1, 4, -1], [4, 9], [20, -1]):
        skipped.note({"skipped": torch.tensor(indices)})
        skipped.check()
    assert path.read_text().split() == ["4.jpg", "9.jpg", "20.jpg"]
    again = SkippedPictures(path, Set())
    assert again.count == 3
    again.note({"skipped": torch.tensor([5])})
    with pytest.raises(BadInputError, match="4 of 300") as caught:
        again.check()
    assert caught.value.code == "skipped_too_many"


def test_stripes_of_colour_tell_clothes_apart():
    import numpy as np

    def person(top, bottom, seed):
        image = np.random.default_rng(seed).integers(0, 30, (128, 64, 3))
        image[:64] += np.array(top)
        image[64:] += np.array(bottom)
        return image.astype(np.uint8)

    one, again = (
        colour_stripes(person((200, 0, 0), (0, 0, 200), 0)),
        colour_stripes(person((200, 0, 0), (0, 0, 200), 1)),
    )
    turned = colour_stripes(person((0, 0, 200), (200, 0, 0), 2))
    assert np.linalg.norm(one) == pytest.approx(1, abs=1e-5)
    assert one @ again > 0.9
    assert one @ turned < 0.2
