"""An archive of its own for every test, made-up people to put in, and a short clip of real ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mien.archive.files import VideoFile
from mien.archive.records import Shot, Track
from mien.archive.shots import jpeg
from mien.media.video import open_video
from mien.media.writer import VideoWriter
from mien.person.embedder import person_embedder_identity


@pytest.fixture
def track() -> Callable[..., Track]:
    """`track(3)`: a track of dimension 32 that is always the same for the same number; fields can be given."""

    def make(number: int, **fields: object) -> Track:
        chance = np.random.default_rng(number)
        rows = chance.standard_normal((3, 32)) * 0.2 + chance.standard_normal(32)
        image = chance.integers(0, 255, (40, 16, 3), dtype=np.uint8)
        box = np.float32([number, 1, number + 16, 41])
        known = {
            "track_id": number,
            "began": float(number),
            "ended": number + 9.5,
            "frames": 90,
            "shots": [Shot(number + place, box + place, 0.5, jpeg(image)) for place in range(2)],
            "path": np.float32([[number, *box], [number + 9.5, *(box + 5)]]),
            "probabilities": {"male": 0.9, "backpack": 0.2},
            "upper": {"blue": 1.0},
            "lower": {},
            "features": (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32),
        }
        return Track(**(known | fields))

    return make


@pytest.fixture
def put() -> Callable[..., int]:
    """`put(archive, "/a.mp4", tracks)` keeps made-up tracks as a video of the present embedder; its number."""

    def keep(archive, path, tracks, *, model=None, digest=None, changed=0) -> int:
        name, fingerprint = model or person_embedder_identity(None)
        file = VideoFile(str(path), 1000, changed)
        return archive.add(
            file, digest or str(path), tracks, seconds=20.0, frames=200, model=name, fingerprint=fingerprint
        ).number

    return keep


@pytest.fixture(scope="session")
def pets(data, models, tmp_path_factory) -> tuple[Path, Path, list]:
    """Every second frame from 24 to 54 of the PETS clip as a video; frame 40 as a picture; the boxes there."""
    from mien.person.detector import PersonDetector

    folder = tmp_path_factory.mktemp("pets")
    clip, picture = folder / "street.mp4", folder / "street.png"
    with open_video(data("video/pets09_s2l1_480x360.mp4")) as video, VideoWriter(clip, 5, 480, 360) as writer:
        for frame in video:
            if frame.index > 54:
                break
            if frame.index >= 24 and frame.index % 2 == 0:
                writer.write(frame.image)
            if frame.index == 40:
                PIL.Image.fromarray(frame.image).save(picture)
                people = PersonDetector()(frame.image)
    return clip, picture, people
