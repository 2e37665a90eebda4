"""Recorded video in: every frame once, in order, in time, upright; broken input ends with an error or a warning."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from mien.errors import BadInputError, MienError, UsageError
from mien.media.image import write
from mien.media.video import open_video
from mien.settings import settings as program_settings

Clip = Callable[..., Path]


def number_of(image: np.ndarray) -> float:
    """What `conftest.picture` was called with, from its brightness."""
    return (float(image[-8:, :, 2].mean()) - 20) / 5


def decoding_threads() -> int:
    return sum(thread.name == "mien-decode" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    gc.collect()
    assert decoding_threads() == 0


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "ffv1"), ("a.avi", "mjpeg"), ("a.ts", "libx264"), ("a.gif", "gif"), ("a", "")],
)
def test_every_frame_once_in_order(clip: Clip, name: str, codec: str) -> None:
    path = clip(name, codec=codec) if codec else clip("a.mp4").rename(clip("a.mp4").with_name("no suffix, ünï"))
    with open_video(path) as video:
        frames = list(video)
        assert (video.width, video.height, video.live, video.frame_count in (20, None)) == (64, 48, False, True)
        assert video.frame_rate == pytest.approx(10)
        assert video.name == str(path)
        assert (video.dropped, video.reconnects, video.ended_early) == (0, 0, None)
    assert [frame.index for frame in frames] == list(range(20))
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(20) / 10, atol=0.02)
    assert frames[0].time == 0
    tolerance = 4 if codec == "gif" else 0.7  # a GIF of 8 bits is coarse
    np.testing.assert_allclose([number_of(frame.image) for frame in frames], range(20), atol=tolerance)
    image = frames[3].image
    assert (image.dtype, image.shape, image.flags.c_contiguous, image.flags.writeable) == (
        np.uint8,
        (48, 64, 3),
        True,
        True,
    )
    assert image[4, :, 0].mean() > 200  # red is the first channel
    assert frames[0].utc is None


def test_odd_width_and_an_array_of_its_own(clip: Clip) -> None:
    path = clip("a.mkv", codec="ffv1", width=61, height=47)
    with open_video(str(path)) as video:
        frames = list(video)
    assert frames[0].image.shape == (47, 61, 3)
    assert frames[0].image.flags.c_contiguous
    before = frames[1].image.copy()
    frames[0].image[:] = 0
    np.testing.assert_array_equal(frames[1].image, before)


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
@pytest.mark.parametrize("mirrored", [False, True])
def test_display_matrix(clip: Clip, degrees: int, mirrored: bool) -> None:
    path = clip("a.mp4", width=96, turn={"degrees": degrees, "hflip": mirrored})
    with open_video(clip("plain.mp4", width=96)) as plain, open_video(path) as video:
        stored, frame = next(plain).image, next(video)
        assert (video.height, video.width) == frame.image.shape[:2]
    expected = np.rot90(stored, degrees // 90)  # both count counter-clockwise
    expected = expected[:, ::-1] if mirrored else expected
    np.testing.assert_array_equal(frame.image, expected)
    assert frame.image.flags.c_contiguous


@pytest.mark.parametrize("standard", [5, 1])
def test_colours_follow_the_matrix_of_the_file(tmp_path: Path, standard: int) -> None:
    wanted = (200, 40, 90)
    flat = av.VideoFrame.from_ndarray(np.full((64, 64, 3), wanted, np.uint8), format="rgb24")
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        stream.codec_context.colorspace = {5: 6, 1: 1}[standard]  # SMPTE 170M, BT.709 as AVColorSpace has them
        stream.codec_context.color_range = 1
        converted = flat.reformat(format="yuv420p", dst_colorspace=standard, dst_color_range=1)
        container.mux(stream.encode(converted))
        container.mux(stream.encode(None))
    with open_video(tmp_path / "a.mp4") as video:
        image = next(video).image
    assert np.abs(image.astype(int) - wanted).max() <= 5


def test_times_of_a_variable_rate(clip: Clip) -> None:
    stamps = [7, 8, 12, 13, 30]
    with open_video(clip("a.mkv", codec="ffv1", frames=5, stamps=stamps)) as video:
        np.testing.assert_allclose([frame.time for frame in video], [0, 0.1, 0.5, 0.6, 2.3], atol=0.002)


def test_times_without_stamps_come_from_the_rate(clip: Clip) -> None:
    path = clip("a.mp4")
    raw = path.with_suffix(".h264")
    with av.open(str(path)) as source, av.open(str(raw), "w", format="h264") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    with open_video(raw) as video:
        times = [frame.time for frame in video]
        np.testing.assert_allclose(times, np.arange(20) / video.frame_rate, atol=1e-6)


def test_utc_of_a_recording(clip: Clip) -> None:
    start = datetime(2024, 5, 1, 12, tzinfo=UTC)
    for given_start in (start, start.replace(tzinfo=None)):
        with open_video(clip("a.mp4"), start=given_start) as video:
            frames = list(video)
        assert frames[0].utc == start
        assert abs(frames[10].utc - start - timedelta(seconds=1)) < timedelta(milliseconds=1)


def test_folder_of_pictures(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (1, 2, 3, 10):
        write(tmp_path / f"f{number}.png", np.full((8, 10, 3), number, np.uint8))
    whole = (tmp_path / "f2.png").read_bytes()
    (tmp_path / "f2.png").write_bytes(whole[:-30])
    (tmp_path / "readme.txt").write_text("not a picture")
    with open_video(tmp_path) as video:
        frames = list(video)
        assert (video.width, video.height, video.frame_count, video.frame_rate) == (10, 8, 4, 25)
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 3, 10]
    assert [frame.index for frame in frames] == [0, 2, 3]
    assert [frame.time for frame in frames] == [0, 2 / 25, 3 / 25]
    assert "f2.png" in caplog.text
    with open_video(tmp_path, frame_rate=5) as video:
        assert [frame.time for frame in video] == [0, 0.4, 0.6]


def sound(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_bad_input(tmp_path: Path, clip: Clip) -> None:
    def code(source: object, **options: object) -> str:
        with pytest.raises(MienError) as caught:
            open_video(source, **options)
        return caught.value.code

    files = {
        "empty.mp4": b"",
        "text.mp4": b"this is a text, not a video\n" * 50,
        "noise.mp4": np.random.default_rng(0).bytes(5000),
        "playlist.mp4": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:9,\n{clip('a.ts')}\n#EXT-X-ENDLIST\n".encode(),
        "list.mp4": f"ffconcat version 1.0\nfile '{clip('b.mp4')}'\n".encode(),
        "session.sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
        "no-index.mp4": clip("c.mp4").read_bytes()[:600],
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    write(tmp_path / "picture.png", np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "nothing here").mkdir()
    sound(tmp_path / "sound.mp4")

    assert code(tmp_path / "none.mp4") == "file_missing"
    assert code(tmp_path / "empty.mp4") == "video_empty"
    for name in ("text.mp4", "noise.mp4", "playlist.mp4", "list.mp4", "session.sdp", "picture.png"):
        assert code(tmp_path / name) == "video_format_unknown", name
    assert code(tmp_path / "no-index.mp4") == "video_damaged"
    assert code(tmp_path / "sound.mp4") == "video_without_video"
    assert code(tmp_path / "nothing here") == "folder_without_pictures"
    assert code("a\0b") == "file_unreadable"
    assert code("https://example.org/a.mp4") == "url_refused"
    assert code("concat:a.mp4|b.mp4") == "file_missing"
    assert code("rtsp://127.0.0.1/", start=datetime.now(UTC)) == "start_of_live"
    assert code(tmp_path, frame_rate=0) == "frame_rate_invalid"


def test_pixel_limit(clip: Clip, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip("a.mp4")
    monkeypatch.setenv("MIEN_PICTURE_PIXELS", "3000")
    program_settings.cache_clear()
    try:
        with pytest.raises(BadInputError, match="64 x 48") as caught:
            open_video(path)
    finally:
        monkeypatch.undo()
        program_settings.cache_clear()
    assert caught.value.code == "video_too_many_pixels"


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_file_cut_short_gives_what_it_has(clip: Clip, caplog: pytest.LogCaptureFixture, name: str) -> None:
    path = clip(
        name,
        frames=60,
        codec={"a.mp4": "libx264", "a.mkv": "ffv1", "a.avi": "mjpeg"}[name],
        options={"movflags": "+faststart"} if name == "a.mp4" else {},
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    with caplog.at_level(logging.WARNING, "mien"), open_video(path) as video:
        frames = list(video)
        assert 15 <= len(frames) <= 50
        assert video.ended_early is not None
    assert name in caplog.text
    np.testing.assert_allclose([number_of(f.image) for f in frames[:15]], [f.index for f in frames[:15]], atol=0.7)


def test_damage_inside_does_not_end_a_file(clip: Clip, caplog: pytest.LogCaptureFixture) -> None:
    path = clip("a.avi", codec="mjpeg", frames=40)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = bytes(1500)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING, "mien"), open_video(path) as video:
        frames = list(video)
    assert 25 <= len(frames) < 40
    assert "damaged packets" in caplog.text
    assert number_of(frames[-1].image) == pytest.approx(39, abs=0.7)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strategies.lists(strategies.tuples(strategies.floats(0, 0.999), strategies.integers(0, 255)), max_size=20))
def test_fuzz_mutated_files(clip: Clip, changed: list[tuple[float, int]]) -> None:
    path = clip("a.mp4", frames=6)
    data = bytearray(path.read_bytes())
    for place, value in changed:
        data[int(place * len(data))] = value
    path.write_bytes(data)
    with suppress(BadInputError), open_video(path) as video:
        for frame in video:
            assert frame.image.shape[2] == 3


def test_closing_early_stops_the_thread_promptly(clip: Clip) -> None:
    video = open_video(clip("a.mp4", frames=200))
    next(video)
    started = time.monotonic()
    video.close()
    video.close()
    assert time.monotonic() - started < 0.9  # it would wait a second for a thread that does not end
    assert decoding_threads() == 0
    with pytest.raises(StopIteration):
        next(video)


def test_a_forgotten_video_stops_its_thread(clip: Clip) -> None:
    video = open_video(clip("a.mp4", frames=200))
    next(video)
    del video
    gc.collect()
    assert decoding_threads() == 0


def test_a_slow_reader_of_a_file_misses_nothing(clip: Clip) -> None:
    with open_video(clip("a.mp4", frames=30)) as video:
        indices = []
        for frame in video:
            time.sleep(0.01)
            indices.append(frame.index)
        assert indices == list(range(30))
        assert video.dropped == 0


def resident() -> int:
    """Bytes of this process in memory."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


OPENINGS = """
import gc, resource, sys
from pathlib import Path
from mien.media.video import open_video

for _ in range(16):
    with open_video(sys.argv[1]) as video:
        assert sum(1 for _ in video) == 35
    gc.collect()  # PyAV's containers are reference cycles
    print(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
"""


@needs_proc
def test_memory_stays_flat_over_many_openings(data: Callable[[str], Path]) -> None:
    """In a process of its own: what other tests gave back would be filled first, or taken again."""
    path = data("video/face-demographics-walking.gif")
    done = subprocess.run([sys.executable, "-c", OPENINGS, path], capture_output=True, text=True, check=True)
    sizes = [int(size) for size in done.stdout.split()]
    assert np.median(sizes[11:]) < np.median(sizes[4:8]) + 5e6  # 109 MB of pixels went through


@needs_proc
def test_memory_stays_flat_over_a_long_file(data: Callable[[str], Path]) -> None:
    sizes = []
    gc.disable()  # frames have to go by themselves
    try:
        with open_video(data("video/one-by-one-person-detection.mp4")) as video:
            sizes = [resident() for frame in video if frame.index % 50 == 0]
    finally:
        gc.enable()
    assert np.median(sizes[21:]) < 1.05 * np.median(sizes[7:14])


@pytest.mark.parametrize(
    ("name", "frames", "seconds"),
    [
        ("one-by-one-person-detection.mp4", 1394, 139.3),
        ("classroom.gif", 45, 2.93),
        ("store-aisle-detection.gif", 67, 4.4),
    ],
)
def test_real_files(data: Callable[[str], Path], name: str, frames: int, seconds: float) -> None:
    with open_video(data(f"video/{name}")) as video:
        times = [frame.time for frame in video]
        assert video.ended_early is None
    assert len(times) == frames
    assert times[-1] == pytest.approx(seconds, abs=0.01)
    assert all(np.diff(times) > 0)


def test_usage_error_is_no_bad_input() -> None:
    with pytest.raises(UsageError, match="https:// addresses are not opened"):
        open_video("https://user:secret@example.org/a.mp4")
