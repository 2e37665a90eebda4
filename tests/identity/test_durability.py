"""A process that is killed in the middle of its work loses nothing that it acknowledged."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import numpy as np

from mien.identity.gallery import Gallery

WORKER = """
import sys
import numpy as np
from mien.identity.gallery import Gallery
from mien.records import Template

staff = Gallery.open()["staff"]
first, erases = int(sys.argv[1]), sys.argv[2] == "erase"
for number in range(first, first + 100_000):
    template = Template(np.random.default_rng(number).standard_normal(32).astype(np.float32), bytes(16))
    print("enrolled", number, *staff.enroll_templates(str(number), [template]), flush=True)
    if erases:
        staff.erase(str(number))
        print("erased", number, flush=True)
"""


def run_and_kill(first: int, mode: str, seconds: float) -> list[list[str]]:
    """The lines that a worker completed before it was killed, some time after its first one."""
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(first), mode], stdout=subprocess.PIPE, env=os.environ.copy()
    )
    lines = worker.stdout.readline()
    assert lines, "the worker enrolled nobody"
    time.sleep(seconds)
    worker.send_signal(signal.SIGKILL)
    lines += worker.stdout.read()
    worker.wait()
    worker.stdout.close()
    assert worker.returncode == -signal.SIGKILL
    return [line.split() for line in lines.decode().splitlines(keepends=True) if line.endswith("\n")]


def test_every_acknowledged_face_survives_kill_9(home):
    chance = random.Random(1)
    acknowledged = {}
    for turn in range(3):
        lines = run_and_kill(turn * 1_000_000, "keep", chance.uniform(0, 0.3))
        acknowledged.update({number: face_id for _, number, face_id in lines})
        with closing(sqlite3.connect(home / "data" / "gallery.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        with Gallery.open() as gallery:
            staff = gallery["staff"]
            for number, face_id in acknowledged.items():
                probe = np.random.default_rng(int(number)).standard_normal((1, 32))
                (match,) = staff.search_vectors(probe, threshold=0.9999)[0]
                assert (match.subject, match.face_id) == (number, face_id)
            # at most the one that was on disk but not yet said to be
            assert len(acknowledged) <= len(staff) <= len(acknowledged) + turn + 1
    assert len(acknowledged) > 8


def test_a_process_killed_while_erasing_leaves_a_sound_gallery_without_the_erased(home):
    chance = random.Random(2)
    erased = set()
    for turn in range(2):
        for what, number, *_ in run_and_kill(turn * 1_000_000, "erase", chance.uniform(0, 0.3)):
            if what == "erased":
                erased.add(number)
        with Gallery.open() as gallery:
            there = {record.name for record in gallery["staff"].subjects()}
            assert not there & erased
            with gallery._store.read() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
                assert connection.exec_driver_sql("SELECT erasures - purged FROM mien_gallery").scalar_one() == 0
    assert erased
