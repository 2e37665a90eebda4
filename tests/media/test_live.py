"""Live video in, against a real RTSP server: newest frames only, connected again, given up, no password shown."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from mien.errors import MissingError
from mien.media.camera import is_camera, public_name
from mien.media.video import open_video

PYTHON = "/usr/bin/python3"
IMPORTS = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0'); "
    "from gi.repository import Gst, GstRtspServer; Gst.init(None); assert Gst.ElementFactory.find('openh264enc')"
)


def has_server() -> bool:
    try:
        return subprocess.run([PYTHON, "-c", IMPORTS], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


needs_server = pytest.mark.skipif(
    not has_server(),
    reason="needs an RTSP server: apt install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good "
    "gstreamer1.0-plugins-bad",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


Serve = Callable[..., subprocess.Popen]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """`serve(port, *login)` starts the server and returns its process."""
    started = []

    def start(port: int, *login: str) -> subprocess.Popen:
        script = Path(__file__).with_name("rtsp_server.py")
        process = subprocess.Popen([PYTHON, script, str(port), *login], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline().strip() == "ready"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def stop(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()


@needs_server
def test_frames_arrive_and_closing_ends_it(serve: Serve) -> None:
    port = free_port()
    serve(port)
    with open_video(f"rtsp://127.0.0.1:{port}/camera") as video:
        assert (video.live, video.width, video.height, video.frame_count) == (True, 160, 120, None)
        frames = [next(video) for _ in range(15)]
        assert video.reconnects == 0
    times = [frame.time for frame in frames]
    assert frames[0].image.shape == (120, 160, 3)
    assert frames[-1].image.max() > 200  # the ball is white
    assert 0 <= times[0] < 1
    assert all(later > earlier for earlier, later in pairwise(times))
    assert abs((datetime.now(UTC) - frames[-1].utc).total_seconds()) < 3
    assert next(video, None) is None
    deadline = time.monotonic() + 2
    while any(thread.name == "mien-decode" for thread in threading.enumerate()):
        assert time.monotonic() < deadline


@needs_server
def test_a_slow_reader_gets_the_newest_frame(serve: Serve) -> None:
    port = free_port()
    serve(port)
    with open_video(f"rtsp://127.0.0.1:{port}/camera") as video:
        frames = []
        for frame in video:
            frames.append(frame)
            if len(frames) == 4:
                break
            time.sleep(0.4)
        age = (datetime.now(UTC) - frames[-1].utc).total_seconds()
        assert video.dropped >= 12
    steps = [later.index - earlier.index for earlier, later in pairwise(frames)]
    assert max(steps) >= 5
    assert sum(steps) >= 15
    assert age < 1.2


@needs_server
def test_a_lost_camera_is_found_again(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    camera = serve(port)
    with caplog.at_level(logging.INFO, "mien"), open_video(f"rtsp://127.0.0.1:{port}/camera") as video:
        before = [next(video) for _ in range(10)][-1]
        stop(camera)
        time.sleep(0.5)
        serve(port)
        after = before
        while not video.reconnects:
            after = next(video)
            assert after.time < 60
        after = next(video)
        assert video.reconnects == 1
    assert after.index > before.index
    passed = (after.utc - before.utc).total_seconds()
    assert passed > 0.4
    assert abs(after.time - before.time - passed) < 0.1
    assert "connecting again" in caplog.text


@needs_server
def test_closing_does_not_wait_for_a_camera_to_come_back(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    camera = serve(port)
    video = open_video(f"rtsp://127.0.0.1:{port}/camera")
    stop(camera)
    deadline = time.monotonic() + 8
    while "no connection" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    video.close()
    assert not any(thread.name == "mien-decode" for thread in threading.enumerate())


@needs_server
def test_a_camera_that_stays_away_is_given_up_and_no_password_is_shown(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    address = f"rtsp://ada:s3cret@127.0.0.1:{port}/camera"
    camera = serve(port, "ada", "s3cret")
    with caplog.at_level(logging.DEBUG):
        with open_video(address, patience=0.6) as video:
            assert next(video).image.shape == (120, 160, 3)
            assert video.name == f"rtsp://127.0.0.1:{port}/camera"
            stop(camera)
            with pytest.raises(MissingError, match=r"no picture for 0\.6 s") as lost:
                list(video)
        assert lost.value.code == "camera_unreachable"
        serve(port, "ada", "other")
        with pytest.raises(MissingError) as refused:
            open_video(address)
        assert refused.value.code == "camera_refused"
    for error in (lost, refused):
        assert "s3cret" not in "".join(traceback.format_exception(error.value))
    assert "s3cret" not in caplog.text


@needs_server
def test_a_wrong_path_is_refused_at_once(serve: Serve) -> None:
    port = free_port()
    serve(port)
    with pytest.raises(MissingError) as caught:
        open_video(f"rtsp://127.0.0.1:{port}/other")
    assert caught.value.code == "camera_refused"


def test_nobody_there() -> None:
    started = time.monotonic()
    with pytest.raises(MissingError, match="Connection refused") as caught:
        open_video(f"rtsp://ada:s3cret@127.0.0.1:{free_port()}/camera", patience=0.6)
    assert caught.value.code == "camera_unreachable"
    assert 0.5 < time.monotonic() - started < 5


def test_a_server_that_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(MissingError, match="no answer in time"):
            open_video(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/camera", patience=0.8)


@pytest.mark.parametrize("source", ["97", "webcam:97", "/dev/video97"])
def test_a_webcam_that_is_not_there(source: str) -> None:
    with pytest.raises(MissingError, match="webcam:97") as caught:
        open_video(source)
    assert caught.value.code == "camera_refused"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("rtsp://10.0.0.7/main", "rtsp://10.0.0.7/main"),
        ("rtsp://ada:secret@10.0.0.7:554/main?user=ada&password=secret", "rtsp://10.0.0.7:554/main"),
        ("RTSPS://ada:se/cr?e#t@host/x", "RTSPS://host/x"),
        ("rtsp://ada:p@ss@host/x", "rtsp://host/x"),
        ("rtsp://host/user=ada&password=secret&channel=1.sdp", "rtsp://host/user=ada&password=***&channel=1.sdp"),
        ("2", "webcam:2"),
        ("/dev/video2", "webcam:2"),
    ],
)
def test_public_name(source: str, name: str) -> None:
    assert is_camera(source)
    assert public_name(source) == name


@pytest.mark.parametrize("source", ["clip.mp4", "./0", "rtmp://host/x", "webcam:", "0a", "/dev/videos", "٣"])
def test_what_is_no_camera(source: str) -> None:
    assert not is_camera(source)
