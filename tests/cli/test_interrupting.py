"""Ctrl-C closes what runs, once; a second one is the usual one."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# A process of its own: the test runner's fault handler has a small stack for signals, which networks can outgrow.
PROGRAM = """
import signal, threading
from mien.cli.interrupting import interruptible

closed = threading.Event()
before = signal.getsignal(signal.{name})
with interruptible(closed.set):
    signal.raise_signal(signal.{name})
    assert closed.wait(10)
    try:
        signal.raise_signal(signal.{name})
    except KeyboardInterrupt:
        print("second")
assert signal.getsignal(signal.{name}) is before
print("restored")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_closes_and_the_second_ends(number):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name=number.name)], capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["second", "restored"]
