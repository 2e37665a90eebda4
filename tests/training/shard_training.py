"""A small training by ranks that is killed, and goes on with another number of them; not a test itself."""

import json
import os
import time

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mien.training.heads.curricularface import CurricularFace
from mien.training.sharded import sharded_checkpoint
from mien.training.sharded.row_sgd import RowSGD
from mien.training.sharded.sharded_classifier import ShardedClassifier
from mien.training.sharded.sharding import class_range

CLASSES, STEPS, BATCH = 23, 40, 12


class Recognition(nn.Module):
    """A network and a classifier."""

    def __init__(self, rate):
        super().__init__()
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(6, 10), nn.PReLU(), nn.Linear(10, 8))
        self.classifier = ShardedClassifier(8, CLASSES, CurricularFace(16.0), rate=rate, seed=3, averaged=True)


def train(rank, ranks, folder, log, rate, slowly):
    """Train from the newest checkpoint to the end, with a checkpoint every third step; losses go to a file."""
    task = Recognition(rate).double()
    optimizer = RowSGD(task.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-3)
    shard = task.classifier.shard
    newest = max(folder.glob("step-*.safetensors"), default=None)
    step = 0
    if newest is not None:
        tensors, state = sharded_checkpoint.load(newest, shard)
        task.load_state_dict({name[5:]: value for name, value in tensors.items() if name.startswith("task.")})
        for name, parameter in task.named_parameters():
            optimizer.state[parameter]["momentum_buffer"] = tensors[f"optimizer.{name}:momentum_buffer"]
        step = state["step"]
    network = task.network if ranks == 1 else DistributedDataParallel(task.network)
    while step < STEPS:
        generator = torch.Generator().manual_seed(step)
        labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)
        pictures = torch.randn(BATCH, 6, generator=generator, dtype=torch.float64) + labels[:, None] / 4
        part = slice(BATCH * rank // ranks, BATCH * (rank + 1) // ranks)
        loss = task.classifier(network(pictures[part]), labels[part])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if rank == 0:
            with log.open("a") as file:
                file.write(json.dumps([step, loss.item()]) + "\n")
        if step % 3 == 0:
            tensors = {f"task.{name}": value for name, value in task.state_dict().items()}
            for name, parameter in task.named_parameters():
                tensors[f"optimizer.{name}:momentum_buffer"] = optimizer.state[parameter]["momentum_buffer"]
            sliced = sharded_checkpoint.sliced_names(task, tensors)
            assert sliced == {"task.classifier.weight", "optimizer.classifier.weight:momentum_buffer"}
            path = folder / f"step-{step:04d}.safetensors"
            sharded_checkpoint.save(path, tensors, {"step": step}, sliced=sliced, shard=shard)
        time.sleep(0.05 if slowly else 0)
    return None


def save_given(rank, ranks, path, weight):
    """Save a tensor `(C, D)` split over the ranks beside one that all have."""
    shard = class_range(len(weight), rank, ranks)
    tensors = {"a.weight": weight[shard.first : shard.last], "scale": torch.tensor(2.5), "flags": torch.ones(3).bool()}
    sharded_checkpoint.save(path, tensors, {"step": 4}, sliced={"a.weight"}, shard=shard)


def save_where_one_rank_cannot(rank, ranks, path):
    """The second rank finds no file: what it says, and what the first says."""
    shard = class_range(4, rank, ranks)
    if rank == 1:
        path = path.with_name("elsewhere") / path.name
    try:
        sharded_checkpoint.save(path, {"w": torch.zeros(2, 2)}, {}, sliced={"w"}, shard=shard)
    except Exception as error:
        return str(error), os.listdir(path.parent) if path.parent.is_dir() else []
    return None
