import json
import shutil
import signal
import socket
import time

import av
import numpy as np
import PIL.Image
import pytest

from mien.media.video import open_video
from mien.media.writer import VideoWriter

EVENT = [
    "event",
    "time",
    "frame",
    "track_id",
    "rect",
    "subject",
    "similarity",
    "quality",
    "duration",
    "stream",
    "schema",
]


def frames_of(path):
    with open_video(path) as video:
        return sum(1 for _ in video)


def test_she_is_recognized_where_she_is_and_nobody_where_she_is_not(mien, astronaut, clips, tmp_path):
    mien("enroll", "crew", "Eileen Çollins", astronaut)
    events, video, sheet = tmp_path / "e.jsonl", tmp_path / "v.mp4", tmp_path / "s.png"
    results = ("--events", events, "--video", video, "--sheet", sheet)
    code, out, err = mien("watch", clips[0], "--collection", "crew", "--json", *results)
    *lines, last = out.splitlines(keepends=True)
    records = [json.loads(line) for line in lines]
    assert (code, err) == (0, "")
    assert "".join(lines) == events.read_text("utf-8")
    assert [record["event"] for record in records] == ["appeared", "recognized", "left"]
    assert all(list(record) == EVENT for record in records)
    assert [record["subject"] for record in records] == [None, "Eileen Çollins", "Eileen Çollins"]
    summary = json.loads(last)["summary"]
    assert set(summary) >= {"frames", "seconds", "fps", "tracks", "extractions", "subjects"}
    assert (summary["frames"], summary["tracks"], list(summary["subjects"])) == (50, 1, ["Eileen Çollins"])
    assert 1 <= summary["extractions"] <= 3
    assert frames_of(video) == 50
    assert PIL.Image.open(sheet).width >= 640

    again = tmp_path / "again.jsonl"
    _, _, err = mien("watch", clips[0], "--collection", "crew", "--events", again)
    assert again.read_bytes() == events.read_bytes()
    assert "recognized Eileen Çollins" in err

    _, out, _ = mien("watch", clips[1], "--collection", "crew", "--json")
    assert json.loads(out)["summary"]["subjects"] == {}


def test_a_watch_list_raises_alarms(mien, astronaut, clips):
    mien("enroll", "wanted", "Eileen", astronaut, "--watch-list")
    _, out, _ = mien("watch", clips[0], "--collection", "wanted", "--start", "2026-03-01T12:00:00", "--json")
    records = [json.loads(line) for line in out.splitlines()[:-1]]
    assert [record["event"] for record in records] == ["appeared", "recognized", "alarm", "left"]
    assert records[2]["subject"] == "Eileen"
    assert all(record["utc"].startswith("2026-03-01T12:00:0") for record in records)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_with_summary_and_whole_video(start, clips, tmp_path, number):
    long_clip, video, events = tmp_path / "long.mp4", tmp_path / "v.mp4", tmp_path / "e.jsonl"
    loop(clips[0], long_clip, times=60)
    process = start("watch", long_clip, "--json", "--video", video, "--events", events)
    first = process.stdout.readline()
    assert json.loads(first)["event"] == "appeared"
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    *lines, last = out.splitlines(keepends=True)
    summary = json.loads(last)["summary"]
    assert 0 < summary["frames"] < 3000
    assert frames_of(video) == summary["frames"]
    assert events.read_text("utf-8") == first + "".join(lines)
    told = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    gone = {record["track_id"] for record in told if record["event"] == "left"}
    assert gone == {record["track_id"] for record in told if record["event"] == "appeared"}


def test_an_interruption_ends_the_wait_for_a_silent_camera(start):
    with socket.socket() as camera:
        camera.bind(("127.0.0.1", 0))
        camera.listen()
        process = start("watch", f"rtsp://user:secret@127.0.0.1:{camera.getsockname()[1]}/stream")
        connection, _ = camera.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=5)
    assert process.returncode == -signal.SIGINT
    assert "secret" not in out + err


def loop(source, target, times):
    """The packets of a clip again and again; nothing is decoded."""
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = reader.streams.video[0]
        copy = writer.add_stream_from_template(stream)
        packets = [packet for packet in reader.demux(stream) if packet.dts is not None]
        data = [(bytes(packet), packet.pts, packet.dts, packet.is_keyframe) for packet in packets]
        for turn in range(times):
            for content, pts, dts, is_key in data:
                packet = av.Packet(content)
                packet.stream, packet.time_base, packet.is_keyframe = copy, stream.time_base, is_key
                packet.pts, packet.dts = pts + turn * stream.duration, dts + turn * stream.duration
                writer.mux(packet)


def test_pictures_of_several_sizes_become_one_video(mien, astronaut, tmp_path):
    folder = tmp_path / "slides"
    folder.mkdir()
    picture = PIL.Image.open(astronaut)
    for number, size in enumerate([(320, 240), (240, 320), (640, 200)]):
        picture.resize(size).save(folder / f"{number}.png")
    code, _, err = mien("watch", folder, "--video", tmp_path / "v.mp4")
    assert code == 0, err
    with open_video(tmp_path / "v.mp4") as video:
        assert [frame.image.shape for frame in video] == [(240, 320, 3)] * 3


@pytest.mark.parametrize("option", ["--events", "--video"])
def test_the_source_is_never_written_over(mien, clips, tmp_path, option):
    clip = tmp_path / "clip.mp4"
    shutil.copy(clips[1], clip)
    (tmp_path / "other.mp4").symlink_to(clip)
    for target in (clip, tmp_path / "other.mp4"):
        code, _, err = mien("watch", clip, option, target)
        assert code == 2
        assert "file_in_use" in err
    assert clip.read_bytes() == clips[1].read_bytes()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--events", "no/such/folder/e.jsonl"], "file_unwritable"),
        (["--video", "v.avi"], "video_suffix"),
        (["--sheet", "s.gif"], "picture_suffix"),
        (["--fpir", "0"], "--fpir"),
        (["--start", "yesterday"], "--start"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_watched(mien, clips, words, code):
    exit_code, out, err = mien("watch", clips[1], *words)
    assert (exit_code, out) == (2, "")
    assert code in err


def sound(path):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("missing", "file_missing"),
        ("empty", "video_empty"),
        ("text", "video_format_unknown"),
        ("picture", "video_format_unknown"),
        ("truncated", "video_damaged"),
        ("sound", "video_without_video"),
    ],
)
def test_what_is_no_video_is_bad_input(mien, clips, astronaut, tmp_path, kind, code):
    path = tmp_path / ("Ton 音.wav" if kind == "sound" else "Vidéo 映.mp4")
    if kind == "sound":
        sound(path)
    elif kind != "missing":
        content = {
            "empty": b"",
            "text": b"no video\n" * 99,
            "picture": astronaut.read_bytes(),
            "truncated": clips[0].read_bytes()[:2000],
        }
        path.write_bytes(content[kind])
    exit_code, out, err = mien("watch", path, "--json")
    assert (exit_code, out) == (3, "")
    assert f"error [{code}]" in err
    assert path.name in err


def test_a_missing_collection_is_bad_input(mien, clips):
    code, out, err = mien("watch", clips[1], "--collection", "crew", "--json")
    assert (code, out) == (3, "")
    assert "collection_missing" in err


def test_a_video_of_tiny_pictures_has_nobody(mien, models, tmp_path):
    with VideoWriter(tmp_path / "tiny.mp4", 25, 2, 2) as writer:
        for _ in range(3):
            writer.write(np.zeros((2, 2, 3), np.uint8))
    code, out, _ = mien("watch", tmp_path / "tiny.mp4", "--json")
    assert code == 0
    assert json.loads(out)["summary"]["frames"] == 3


def test_an_address_that_is_not_opened_is_wrong_usage_without_its_password(mien, models):
    code, _, err = mien("watch", "https://user:secret@example.org/a.mp4")
    assert code == 2
    assert "url_refused" in err
    assert "secret" not in err
