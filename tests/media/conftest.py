"""Clips and folders that the tests of this room make for themselves, with PyAV."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest


def picture(number: int, width: int, height: int) -> np.ndarray:
    """A smooth picture whose brightness tells its number, brighter to the right and reddish at the top."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:] = 20 + 5 * number
    image[:, :, 1] = np.minimum(image[:, :, 1] + np.linspace(0, 80, width).astype(np.uint8), 255)
    image[: height // 4, :, 0] = 230
    return image


@pytest.fixture
def clip(tmp_path: Path) -> Callable[..., Path]:
    """`clip("name.mp4", frames=20, rate=10, ...)` writes a clip and returns its path."""

    def make(
        name: str,
        *,
        frames: int = 20,
        rate: int = 10,
        width: int = 64,
        height: int = 48,
        codec: str = "libx264",
        options: dict[str, str] | None = None,
        stamps: list[int] | None = None,
        turn: dict[str, Any] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w", options=options or {}) as container:
            stream = container.add_stream(codec, rate=rate)
            stream.width, stream.height = width, height
            stream.pix_fmt = {"gif": "rgb8", "mjpeg": "yuvj420p", "ffv1": "yuv420p"}.get(codec, "yuv420p")
            if turn:
                stream.set_display_rotation(**turn)
            for number in range(frames):
                frame = av.VideoFrame.from_ndarray(picture(number % 40, width, height), format="rgb24")
                frame.pts = number if stamps is None else stamps[number]
                frame.time_base = Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make
