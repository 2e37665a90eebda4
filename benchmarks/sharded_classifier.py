"""Memory and speed of the classifier layer alone: plain, data parallel, sharded, sampled.

`python benchmarks/sharded_classifier.py [--identities 200000] [--ranks 2] [--batch 64]` on processors,
`python benchmarks/sharded_classifier.py --device cuda --ranks 8 --batch 1024 --precision float16 --identities 1000000
5000000 10000000` on GPUs, one a rank.

A step is the layer's forward and backward pass and the optimizer's step on features of the given dimension, with a
CosFace head. Each contender runs in processes of its own; they take turns, and what is given is the median over the
rounds. On a busy machine the processors' time, summed over the ranks, says more than images a second. Memory is a
rank's peak beyond what it had before the layer was made: resident on processors (Linux), allocated by PyTorch on GPUs.
Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import distributed as dist
from torch import multiprocessing, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from mien.evaluation.speed.machine import describe_machine
from mien.training.heads.classifier import Classifier
from mien.training.heads.cosface import CosFace
from mien.training.sharded.row_sgd import RowSGD
from mien.training.sharded.sharded_classifier import ShardedClassifier

MIB = 2**20


class PlainLoss(nn.Module):
    """The full layer and its loss."""

    def __init__(self, dimension: int, identities: int) -> None:
        super().__init__()
        self.layer = Classifier(dimension, identities, CosFace())

    def forward(self, features: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean over this rank's part of the batch."""
        return functional.cross_entropy(self.layer(features, labels), labels)


def contenders(ranks: int, only: list[str] | None) -> dict[str, int]:
    """Name -> ranks."""
    several = {"data parallel": ranks, "sharded": ranks, "sampled": ranks} if ranks > 1 else {}
    every = {"plain": 1, "sharded, one rank": 1, "sampled, one rank": 1, **several}
    return {name: count for name, count in every.items() if only is None or name in only}


def layer_and_optimizer(name: str, identities: int, options: argparse.Namespace) -> tuple[nn.Module, Any]:
    """What takes `features, labels` and gives a loss, and what updates it."""
    if name in ("plain", "data parallel"):
        layer: nn.Module = PlainLoss(options.dimension, identities).to(options.device)
        optimizer: Any = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
        return (DistributedDataParallel(layer) if name == "data parallel" else layer), optimizer
    rate = options.rate if "sampled" in name else 1.0
    layer = ShardedClassifier(options.dimension, identities, CosFace(), rate=rate).to(options.device)
    return layer, RowSGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)


def measure(rank: int, name: str, ranks: int, identities: int, folder: str, options: argparse.Namespace) -> None:
    """One rank's part of one contender's turn; its figures go to a file."""
    on_gpu = options.device == "cuda"
    torch.set_num_threads(max(1, torch.get_num_threads() // ranks))
    if on_gpu:
        torch.cuda.set_device(rank)
    if ranks > 1:
        dist.init_process_group(
            "nccl" if on_gpu else "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=ranks
        )
    # What the first step loads besides is no part of the layer.
    steps_of(rank, name, ranks, 1000, 1, options)
    before = torch.cuda.memory_allocated() if on_gpu else resident("VmRSS")
    seconds, busy = steps_of(rank, name, ranks, identities, options.steps, options)
    peak = torch.cuda.max_memory_allocated() if on_gpu else resident("VmHWM")
    figures = {
        "images_per_second": options.batch / median(seconds),
        "processor_seconds": median(busy),
        "mebibytes": (peak - before) / MIB,
    }
    (Path(folder) / f"{rank}.json").write_text(json.dumps(figures))
    if ranks > 1:
        dist.destroy_process_group()


def steps_of(
    rank: int, name: str, ranks: int, identities: int, steps: int, options: argparse.Namespace
) -> tuple[list[float], list[float]]:
    """Seconds of each step after the first one, and what processors were busy with it in this process."""
    layer, optimizer = layer_and_optimizer(name, identities, options)
    generator = torch.Generator().manual_seed(rank)
    part = options.batch // ranks
    features = torch.randn(part, options.dimension, generator=generator).to(options.device).requires_grad_()
    labels = torch.randint(0, identities, (part,), generator=generator).to(options.device)
    kind = getattr(torch, options.precision)
    scaler = torch.amp.GradScaler(options.device, enabled=kind == torch.float16)
    seconds, busy = [], []
    for _ in range(steps + 1):
        start, busy_start = time.perf_counter(), time.process_time()
        with torch.autocast(options.device, kind) if kind != torch.float32 else nullcontext():
            loss = layer(features, labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        if options.device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - busy_start)
    return seconds[1:], busy[1:]


def resident(kind: str) -> int:
    """Resident memory of this process in bytes: `VmRSS` now, `VmHWM` at most so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{kind}:"))


def turn(name: str, ranks: int, identities: int, options: argparse.Namespace) -> dict[str, float]:
    """One contender once, in fresh processes: the slowest rank's speed, the largest one's memory."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            multiprocessing.spawn(measure, (name, ranks, identities, folder, options), nprocs=ranks)
        except multiprocessing.ProcessRaisedException as error:
            if "out of memory" not in str(error):
                raise
            return {}
        parts = [json.loads((Path(folder) / f"{rank}.json").read_text()) for rank in range(ranks)]
    return {
        "images_per_second": min(part["images_per_second"] for part in parts),
        "processor_seconds": sum(part["processor_seconds"] for part in parts),
        "mebibytes": max(part["mebibytes"] for part in parts),
    }


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, nargs="+", default=[200_000])
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--batch", type=int, default=64, help="of all ranks together")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--rate", type=float, default=0.1, help="share of the classes that a sampled step draws")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--precision", choices=["float32", "bfloat16", "float16"], default="float32")
    parser.add_argument("--only", nargs="+", metavar="CONTENDER", help="some of them, by name")
    options = parser.parse_args()
    machine = describe_machine()
    if options.device == "cuda":
        machine["gpu"] = torch.cuda.get_device_name()
    tables = {}
    for identities in options.identities:
        turns: dict[str, list[dict[str, float]]] = {name: [] for name in contenders(options.ranks, options.only)}
        for _ in range(options.rounds):
            for name, ranks in contenders(options.ranks, options.only).items():
                turns[name].append(turn(name, ranks, identities, options))
        rows = {}
        for name, ranks in contenders(options.ranks, options.only).items():
            if not all(turns[name]):
                rows[name] = {"ranks": ranks, "out_of_memory": True}
                continue
            rows[name] = {
                "ranks": ranks,
                "images_per_second": round(median(each["images_per_second"] for each in turns[name]), 1),
                "processor_seconds_a_step": round(median(each["processor_seconds"] for each in turns[name]), 3),
                "mebibytes_a_rank": round(median(each["mebibytes"] for each in turns[name])),
            }
        tables[str(identities)] = rows
    weights = {name: round(int(name) * options.dimension * 4 / MIB) for name in tables}
    record = {**vars(options), "identities": tables, "mebibytes_of_weight": weights, "machine": machine}
    print(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()
