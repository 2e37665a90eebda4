"""Frames from thread to thread: bounded, in order, ended by either side, the newest only where that is asked."""

from __future__ import annotations

import threading
import time

import pytest

from mien.media.handover import Handover


def test_all_items_in_order_and_never_more_than_the_depth() -> None:
    handover: Handover[int] = Handover(3)
    ahead = []

    def produce() -> None:
        for number in range(100):
            handover.put(number)
            ahead.append(number)
        handover.finish()

    thread = threading.Thread(target=produce)
    thread.start()
    time.sleep(0.05)
    assert len(ahead) == 3
    assert [handover.get() for _ in range(100)] == list(range(100))
    assert handover.get() is None
    assert handover.dropped == 0
    thread.join()


def test_newest_only_never_waits() -> None:
    handover: Handover[int] = Handover(1, newest_only=True)
    assert all(handover.put(number) for number in range(10))
    assert handover.get() == 9
    assert handover.dropped == 9


def test_an_error_comes_after_the_items_before_it_and_once() -> None:
    handover: Handover[int] = Handover(3)
    handover.put(1)
    handover.finish(OSError("gone"))
    assert handover.get() == 1
    with pytest.raises(OSError, match="gone"):
        handover.get()
    assert handover.get() is None


def test_closing_frees_a_producer_that_waits() -> None:
    handover: Handover[int] = Handover(1)
    answers = []
    thread = threading.Thread(target=lambda: answers.extend(handover.put(number) for number in (1, 2)))
    thread.start()
    time.sleep(0.02)
    handover.close()
    thread.join(5)
    assert answers == [True, False]
    assert handover.get() is None


def test_closing_frees_a_reader_that_waits() -> None:
    handover: Handover[int] = Handover(1)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(handover.get()))
    thread.start()
    handover.close()
    thread.join(5)
    assert answers == [None]
