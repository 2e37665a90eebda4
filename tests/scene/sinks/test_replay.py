import json
import logging
import time

import pytest

from mien.errors import BadInputError, UsageError
from mien.scene.events import SCHEMA, gap
from mien.scene.sinks.replay import paced, read_events


def told(path, *lines, end="\n"):
    path.write_text("\n".join(json.dumps(line) if isinstance(line, dict) else line for line in lines) + end)
    return path


def test_events_come_as_they_were_written(tmp_path):
    records = [{"event": "appeared", "time": 0.5, "stream": "a"}, {"event": "new in 2030", "time": 1, "schema": SCHEMA}]
    path = told(tmp_path / "e.jsonl", records[0], "", records[1], {"summary": {"frames": 3}})
    assert list(read_events(path)) == records


def test_a_line_that_was_cut_off_is_left_out_with_a_warning(tmp_path, caplog):
    path = told(tmp_path / "e.jsonl", {"event": "left", "time": 1}, '{"event": "le', end="")
    with caplog.at_level(logging.WARNING, "mien"):
        assert len(list(read_events(path))) == 1
    assert "line 2" in caplog.text


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("no json", "event_file_invalid"),
        ("[1, 2]", "event_file_invalid"),
        ('{"time": 3}', "event_file_invalid"),
        ('{"event": "left"}', "event_file_invalid"),
        ('{"event": "left", "time": "soon"}', "event_file_invalid"),
        ('{"event": "left", "time": NaN}', "event_file_invalid"),
        ('{"event": "left", "time": true}', "event_file_invalid"),
        (f'{{"event": "left", "time": 1, "schema": {SCHEMA + 1}}}', "event_schema_unknown"),
        ('{"event": "left", "time": 1, "schema": "x"}', "event_schema_unknown"),
    ],
)
def test_what_is_no_event_is_refused_with_its_line(tmp_path, line, code):
    path = told(tmp_path / "e.jsonl", {"event": "left", "time": 1}, line)
    with pytest.raises(BadInputError, match="line 2") as caught:
        list(read_events(path))
    assert caught.value.code == code


def test_a_binary_or_missing_file(tmp_path):
    (tmp_path / "e.jsonl").write_bytes(b"\xff\x00\n")
    with pytest.raises(BadInputError, match="line 1"):
        list(read_events(tmp_path / "e.jsonl"))
    with pytest.raises(BadInputError, match="no such file"):
        list(read_events(tmp_path / "none.jsonl"))


def test_events_wait_for_their_time():
    records = [{"event": "left", "time": at} for at in (100.0, 101.0, 101.0, 0.0, 2.0)]
    start = time.monotonic()
    moments = [time.monotonic() - start for _ in paced(records, 10)]
    # The third second belongs to another recording: its clock begins anew.
    assert [round(moment, 1) for moment in moments[:3]] >= [0.0, 0.1, 0.1]
    assert moments[4] >= 0.3
    assert list(paced(records, float("inf"))) == records


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(UsageError) as caught:
        list(paced([], speed))
    assert caught.value.code == "speed_out_of_range"


def test_a_gap_is_an_event_of_the_stream():
    record = gap(12.3456, time=70.0, frame=900, stream="rtsp://door").to_dict()
    assert (record["event"], record["seconds"], record["stream"]) == ("gap", 12.346, "rtsp://door")
    assert (record["track_id"], record["rect"], record["schema"]) == (None, None, SCHEMA)
