"""The page of a file of events: what it says, and that it says it whatever names hold."""

import html.parser
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from mien.scene.report.facts import gather
from mien.scene.report.page import report
from mien.scene.zones.zone_file import Zones

EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>\"'&"


def event(name, time, track_id=1, start=None, **facts):
    record = {"event": name, "time": time, "track_id": track_id, "stream": "cam", **facts}
    if start is not None:
        record["utc"] = (start + timedelta(seconds=time)).isoformat(timespec="milliseconds")
    return record


def some_events(name="door", start=None):
    path = [[0.0, 0.1, 0.5], [4.0, 0.9, 0.5]]
    return [
        event("appeared", 0.0, start=start),
        event("crossed", 1.0, line=name, direction="forward", start=start),
        event("crossed", 2.0, line=name, direction="forward", start=start),
        event("crossed", 3.0, line=name, direction="backward", start=start),
        event("entered", 1.5, zone=name, start=start),
        event("exited", 3.5, zone=name, dwell=2.0, start=start),
        event("loitering", 3.0, rule=name, zone=name, phase="start", since=1.0, start=start),
        event("loitering", 3.5, rule=name, zone=name, phase="end", since=1.0, lasted=2.5, start=start),
        event("recognized", 3.6, subject=name, start=start),
        event("gap", 3.7, None, seconds=12.0, start=start),
        event("left", 4.0, path=path, picture=[640, 480], subject=name, start=start),
    ]


class Parsed(html.parser.HTMLParser):
    """The tags of a page, their attributes, and its text."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data + "\n"


def test_the_page_has_the_figures():
    text = Parsed(report(some_events())).text
    for words in ("cam", "New tracks a second", "door\n2\n1\n1\n", "loitering", "The stream was away", "12.0"):
        assert words in text
    assert Parsed(report(some_events())).tags.count("img") == 2


def test_names_cannot_become_markup():
    records = [{**record, "stream": EVIL} for record in some_events(EVIL)]
    harmless = Parsed(report([{**record, "stream": "cam"} for record in some_events()]))
    page = report(records, zones=Zones.model_validate({"line": [{"name": EVIL, "from": (0, 0), "to": (1, 1)}]}))
    parsed = Parsed(page)
    assert parsed.tags == harmless.tags
    assert "script" not in parsed.tags
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert parsed.text.count("<script>alert('x')</script>") >= 5  # it is still there to be read


def test_nothing_is_fetched():
    parsed = Parsed(report(some_events()))
    links = [value for name, value in parsed.attributes if name in ("src", "href", "srcset", "action", "data")]
    assert len(links) == 2
    assert all(link.startswith("data:image/png;base64,") for link in links)
    assert not {"link", "script", "iframe", "object"} & set(parsed.tags)
    assert "url(" not in report(some_events()).decode()


def test_hours_are_those_of_the_clock():
    start = datetime(2026, 3, 1, 10, 40, tzinfo=UTC)
    records = [event("appeared", hour * 3600.0 + 60, track_id=hour, start=start) for hour in range(5)]
    text = Parsed(report(records)).text
    assert "New tracks an hour" in text
    assert "10:00: 1" in text
    assert "14:00: 1" in text
    assert "2026-03-01 10:40:00 to 2026-03-01 14:41:00 UTC" in text


def test_streams_have_sections_of_their_own():
    records = some_events() + [{**record, "stream": "other"} for record in some_events()]
    assert Parsed(report(records)).tags.count("h2") == 2


def test_no_events_is_a_page_too():
    assert "no events" in Parsed(report([])).text


@pytest.mark.parametrize(
    "odd",
    [
        {"path": "x", "picture": [4, 3]},
        {"path": [[0, 1]], "picture": [4, 3]},
        {"path": [[0, float("nan"), 1]], "picture": [4, 3]},
        {"path": [[0, 0, 1]], "picture": [4, 0]},
        {"path": [[0, 0, 1]]},
        {"dwell": "long", "zone": ["z"], "utc": "yesterday"},
        {"zone": None, "line": 3, "direction": "up", "lasted": None, "seconds": "?", "subject": 5},
    ],
)
def test_odd_fields_are_passed_over(odd):
    for name in ("left", "exited", "crossed", "loitering", "gap", "recognized"):
        report([{"event": name, "time": 1.0, **odd}, {"event": name, "time": 0.5}])


def test_facts_are_added_up():
    facts = gather(some_events())[0]
    assert facts.lines["door"] == {"forward": [1.0, 2.0], "backward": [3.0]}
    assert (facts.zones["door"].entered, facts.zones["door"].dwells, facts.zones["door"].peak) == (1, [2.0], 1)
    assert (facts.rules["door"].episodes, facts.rules["door"].lasted) == (1, [2.5])
    assert facts.aspect == pytest.approx(4 / 3)
    assert np.array_equal(facts.paths[0][:, 1], [0.1, 0.9])
