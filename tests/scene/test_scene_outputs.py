"""What is written of a watched stream: events, track sheet, annotated video."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from mien.drawing.annotate import Label
from mien.errors import UsageError
from mien.media.video import open_video
from mien.records import Face, Frame
from mien.scene.annotated_video import AnnotatedVideo, fitted
from mien.scene.events import Event
from mien.scene.moment import Moment
from mien.scene.sinks.json_lines import JsonLines
from mien.scene.track_sheet import TrackSheet


def face(track_id=1):
    return Face(np.array([20, 20, 60, 70], np.float32), 0.9, np.full((5, 2), 40, np.float32), track_id=track_id)


def event(name="recognized", **changes):
    facts = {"event": name, "time": 1.23456, "frame": 30, "track_id": 1, "box": face().box, "subject": "Zoë"}
    facts |= {"similarity": 0.812345, "quality": 0.5, "duration": 1.2}
    return Event(**{**facts, **changes})


def moment(index=0, faces=1, size=(90, 120), events=(), is_end=False):
    frame = Frame(np.full((*size, 3), 80, np.uint8), index, index / 25)
    shown = [face(number + 1) for number in range(faces)]
    return Moment(frame, shown, [Label("undecided")] * faces, list(events), is_end)


def test_an_event_is_the_json_of_the_contract():
    record = event().to_dict()
    assert list(record) == [
        "event", "time", "frame", "track_id", "rect", "subject", "similarity", "quality", "duration",
        "stream", "schema",
    ]  # fmt: skip
    assert (record["time"], record["similarity"]) == (1.235, 0.8123)
    assert record["rect"] == {"left": 20.0, "top": 20.0, "right": 60.0, "bottom": 70.0}
    nobody = event("appeared", subject=None, similarity=None, quality=None, utc=datetime(2026, 3, 1, tzinfo=UTC))
    assert (nobody.to_dict()["subject"], nobody.to_dict()["similarity"]) == (None, None)
    assert nobody.to_dict()["utc"] == "2026-03-01T00:00:00.000+00:00"


def test_events_are_lines_that_can_be_read_at_once(tmp_path):
    path = tmp_path / "e.jsonl"
    path.write_text("of an earlier run\n")
    with JsonLines(path) as sink:
        sink.write(event().to_dict())
        assert json.loads(path.read_bytes())["subject"] == "Zoë"
        sink.write(event("left").to_dict())
    assert path.read_text("utf-8").count("\n") == 2


def test_a_file_that_cannot_be_written_is_wrong_usage(tmp_path):
    for path in (tmp_path, tmp_path / "missing" / "e.jsonl"):
        with pytest.raises(UsageError, match="cannot be written"):
            JsonLines(path)


def test_a_full_disk_is_told():
    try:
        sink = JsonLines("/dev/full")
    except UsageError:
        pytest.skip("this system has no /dev/full")
    with pytest.raises(UsageError, match="cannot be written"):
        sink.write({"event": "left"})


def test_the_annotated_video_has_every_frame_and_fits_other_sizes(tmp_path):
    with AnnotatedVideo(tmp_path / "v.mp4", 25, 120, 90) as video:
        video.add(moment(0))
        video.add(moment(1, size=(200, 100)))
        video.add(moment(2))
        video.add(moment(2, is_end=True))
    with open_video(tmp_path / "v.mp4") as written:
        frames = list(written)
    assert [frame.image.shape for frame in frames] == [(90, 120, 3)] * 3
    assert frames[0].image.std() > 5
    assert frames[1].image[:, :20].max() < 40 < frames[1].image[45, 60].min()


def test_a_picture_is_fitted_whole():
    image = np.full((50, 10, 3), 255, np.uint8)
    canvas = fitted(image, 40, 100)
    assert canvas.shape == (100, 40, 3)
    assert canvas[:, 10:30].min() == 255
    assert canvas[:, :10].max() == canvas[:, 30:].max() == 0
    assert fitted(image, 10, 50) is image


def test_a_sheet_shows_what_was_decided_only_at_the_end():
    sheets = []
    for name in ("recognized", "unknown", "left"):
        sheet = TrackSheet()
        sheet.add(moment(0))
        sheet.add(moment(1, faces=0, events=[event(name)], is_end=True))
        sheets.append(sheet.draw())
    assert not any(np.array_equal(sheets[0], other) for other in sheets[1:])
    assert not np.array_equal(sheets[1], sheets[2])


def test_a_sheet_of_nothing_and_of_very_many_tracks():
    empty = TrackSheet()
    empty.add(moment(0, faces=0))
    assert empty.draw().ndim == 3
    crowded = TrackSheet()
    crowded.add(moment(0, faces=1000))
    assert crowded.draw().shape[0] < 12_000
