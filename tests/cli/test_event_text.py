"""Events as lines for people."""

from mien.cli.event_text import event_line


def test_a_line_for_people_says_what_matters():
    line = event_line({"event": "recognized", "time": 1, "track_id": 3, "subject": "Ada", "similarity": 0.8123})
    assert line == "     1.00 s  track 3    recognized Ada (0.81)"
    rule = {"event": "loitering", "time": 9.5, "track_id": 3, "rule": "loitering bar", "zone": "bar", "phase": "end"}
    assert event_line({**rule, "lasted": 61.0}) == "     9.50 s  track 3    loitering loitering bar end after 61.0 s"


def test_a_line_about_a_stream_names_no_track():
    assert event_line({"event": "gap", "time": 70.0, "track_id": None, "seconds": 12.346}) == (
        "    70.00 s  stream     gap after 12.3 s"
    )
