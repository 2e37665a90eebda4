"""Pools of memory are counted in a process of its own, as they stay for its life."""

import os
import subprocess
import sys

import pytest

COUNT = """
import ctypes, sys
from threading import Barrier, Thread
from mien.media.frame_memory import share_arenas

took_effect = share_arenas() if sys.argv[1] == "shared" else None
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
together = Barrier(9)
def work():
    libc.malloc(100_000)
    together.wait()
    together.wait()
threads = [Thread(target=work) for _ in range(8)]
[thread.start() for thread in threads]
together.wait()
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
together.wait()
sys.stderr.write(str(took_effect))
"""


def pools(how, **environment):
    environment = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(
        [sys.executable, "-c", COUNT, how], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.count("<heap nr="), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_threads_share_two_pools():
    alone, _ = pools("alone", MALLOC_ARENA_MAX="8")
    assert alone > 2
    assert pools("shared") == (2, "True")
    assert pools("shared", MALLOC_ARENA_MAX="8") == (alone, "False")
