"""Video out: what was written comes back; a file is there whole or not at all."""

from __future__ import annotations

import logging
from pathlib import Path

import av
import numpy as np
import pytest

from mien.errors import UsageError
from mien.media import writer as writer_module
from mien.media.video import open_video
from mien.media.writer import VideoWriter


def flat(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    return np.full((height, width, 3), (200 - 5 * number, 40, 5 * number), np.uint8)


@pytest.mark.parametrize("encoder", ["libx264", "libopenh264", "mpeg4"])
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_what_was_written_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: str, size: tuple[int, int]
) -> None:
    try:
        av.Codec(encoder, "w")
    except ValueError:
        pytest.skip(f"this build of PyAV has no {encoder}")
    only = {encoder: writer_module._ENCODERS[encoder]}
    monkeypatch.setattr(writer_module, "_ENCODERS", only)
    path = tmp_path / "out.mp4"
    with VideoWriter(path, 12.5, *size) as writer:
        for number in range(20):
            writer.write(flat(number, *size))
    with open_video(path) as video:
        frames = list(video)
        assert video.frame_rate == pytest.approx(12.5, rel=0.01)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(20) / 12.5, atol=1e-3)
    assert frames[0].image.shape == (48, 64, 3)
    for number, frame in enumerate(frames):
        assert np.abs(frame.image.astype(int) - flat(number)[0, 0]).max() <= 10
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.mp4"]


def test_an_encoder_of_this_build_makes_h264(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 25, 64, 48) as writer:
        writer.write(flat(0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_times(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", 10, 64, 48) as writer:
        for number, time in enumerate((0.0, 0.1, 0.7, 0.7, 0.3, 2.0)):
            writer.write(flat(number), time)
    with open_video(tmp_path / "a.mp4") as video:
        times = [frame.time for frame in video]
    np.testing.assert_allclose(times, [0, 0.1, 0.7, 0.7, 0.7, 2.0], atol=1e-3)
    assert all(np.diff(times) > 0)


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.mp4"
    path.write_bytes(b"the old one")
    with pytest.raises(ZeroDivisionError), VideoWriter(path, 10, 64, 48) as writer:
        writer.write(flat(0), 1 / 0)
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]


def test_no_frame_makes_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), VideoWriter(tmp_path / "out.mp4", 10, 64, 48):
        pass
    assert list(tmp_path.iterdir()) == []
    assert "no frame came" in caplog.text


@pytest.mark.parametrize(
    ("name", "rate", "size", "code"),
    [
        ("a.avi", 10, (64, 48), "video_suffix"),
        ("a.mp4", 0, (64, 48), "frame_rate_invalid"),
        ("a.mp4", float("nan"), (64, 48), "frame_rate_invalid"),
        ("a.mp4", 10, (0, 48), "frame_size"),
        ("none/a.mp4", 10, (64, 48), "file_unwritable"),
        ("a.mp4", 10, (40000, 2), "file_unwritable"),
    ],
)
def test_refused(tmp_path: Path, name: str, rate: float, size: tuple[int, int], code: str) -> None:
    with pytest.raises(UsageError) as caught, VideoWriter(tmp_path / name, rate, *size) as writer:
        writer.write(np.zeros((size[1], size[0], 3), np.uint8))
    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\(48, 64, 3\)"), VideoWriter(tmp_path / "a.mp4", 10, 64, 48) as writer:
        writer.write(flat(0, 48, 64))
    assert list(tmp_path.iterdir()) == []
