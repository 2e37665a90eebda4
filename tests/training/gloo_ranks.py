"""Functions run by several ranks of a gloo group, each in a process of its own."""

import multiprocessing
import os
import sys
import traceback
from contextlib import suppress
from datetime import timedelta

import torch
from torch import distributed as dist


def start(function, ranks, folder, *arguments):
    """Start `function(rank, *arguments)` on every rank; the processes, which were not waited for."""
    # A server that has PyTorch loaded forks the ranks: a process with PyTorch takes seconds to start otherwise.
    context = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
    if sys.platform != "win32":
        context.set_forkserver_preload(["torch", "torch._dynamo", "torch.profiler", "shard_training", "shard_steps"])
    meeting = folder / f"meeting-{os.urandom(4).hex()}"
    processes = [
        context.Process(target=_enter, args=(function, rank, ranks, str(meeting), folder, arguments))
        for rank in range(ranks)
    ]
    for process in processes:
        process.start()
    return processes


def run(function, ranks, folder, *arguments):
    """What `function(rank, *arguments)` returned on every rank, in the order of ranks."""
    for process in (processes := start(function, ranks, folder, *arguments)):
        process.join(60)
        assert not process.is_alive(), "a rank did not come back"
    for process in processes:
        assert process.exitcode == 0, (folder / f"error-{processes.index(process)}").read_text()
    return [torch.load(folder / f"result-{rank}", weights_only=False) for rank in range(ranks)]


def _enter(function, rank, ranks, meeting, folder, arguments):
    torch.set_num_threads(1)
    try:
        if ranks > 1:
            dist.init_process_group(
                "gloo", init_method=f"file://{meeting}", rank=rank, world_size=ranks, timeout=timedelta(seconds=40)
            )
        torch.save(function(rank, *arguments), folder / f"result-{rank}")
        if ranks > 1:
            dist.destroy_process_group()
    except BaseException:
        (folder / f"error-{rank}").write_text(traceback.format_exc())
        with suppress(OSError):
            os.unlink(meeting)
        raise
