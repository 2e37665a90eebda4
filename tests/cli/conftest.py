"""The command line as a user has it: a data folder of its own, words in; exit code, stdout and stderr out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mien.media.writer import VideoWriter

Answer = tuple[int, str, str]


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`start("watch", path)`: the command as a process of its own, for signals; killed when the test ends."""
    running: list[subprocess.Popen[str]] = []

    def launch(*words: object) -> subprocess.Popen[str]:
        # A job in the background inherits that SIGINT is ignored; here it must not be.
        program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        program += "from mien.cli.main import run; run()"
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ.copy(),
        )
        running.append(process)
        return process

    yield launch
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="session")
def astronaut(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG of scikit-image's astronaut."""
    pictures = pytest.importorskip("skimage.data", reason="needs scikit-image")
    path = tmp_path_factory.mktemp("astronaut") / "eileen.png"
    PIL.Image.fromarray(pictures.astronaut()).save(path)
    return path


@pytest.fixture(scope="session")
def clips(astronaut: Path) -> tuple[Path, Path]:
    """Two seconds of the demo's clips: she comes in, and the same sky without her."""
    from mien.evaluation.clips.astronaut import FRAME_RATE, HEIGHT, WIDTH, clip_frames

    paths = astronaut.parent / "with.mp4", astronaut.parent / "without.mp4"
    for path, present in zip(paths, (True, False), strict=True):
        with VideoWriter(path, FRAME_RATE, WIDTH, HEIGHT) as writer:
            for image in islice(clip_frames(present=present), 20, 70):
                writer.write(image)
    return paths


@pytest.fixture(scope="session")
def two_faces(astronaut: Path) -> Path:
    """A PNG that shows the astronaut twice."""
    picture = np.asarray(PIL.Image.open(astronaut))
    path = astronaut.parent / "zwei Gesichter.png"
    PIL.Image.fromarray(np.hstack([picture, picture])).save(path)
    return path


@pytest.fixture(scope="session")
def huge_header() -> bytes:
    """A BMP that says it has 30,000 x 30,000 pixels, and has none."""
    sizes = (30_000).to_bytes(4, "little") * 2
    return (
        b"BM" + bytes(8) + (54).to_bytes(4, "little") + (40).to_bytes(4, "little") + sizes + b"\1\0\x18\0" + bytes(24)
    )
