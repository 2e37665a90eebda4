"""Ctrl-C closes what runs, once; a second one is the usual one."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from mien.cli.interrupting import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_closes_and_the_second_ends(number):
    before = signal.getsignal(number)
    closed = threading.Event()
    with interruptible(closed.set):
        os.kill(os.getpid(), number)
        assert closed.wait(5)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before
