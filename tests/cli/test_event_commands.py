"""`mien replay`, `mien report` and `mien evaluate events`, as a user has them."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

EVENTS = [
    {"event": "appeared", "time": 0.0, "track_id": 1, "subject": None, "stream": "Tür", "schema": 1},
    {"event": "crossed", "time": 1.25, "track_id": 1, "line": "door", "direction": "forward", "schema": 1},
    {"event": "left", "time": 2.0, "track_id": 1, "path": [[0, 0.1, 0.5], [2, 0.9, 0.5]], "picture": [64, 48]},
]


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(event, ensure_ascii=False) + "\n" for event in EVENTS), "utf-8")
    return path


def test_replay_gives_the_same_bytes_again(mien, events, tmp_path):
    code, out, _ = mien("replay", events, "--events", tmp_path / "again.jsonl", "--json")
    assert code == 0
    assert (tmp_path / "again.jsonl").read_bytes() == events.read_bytes()
    assert [json.loads(line) for line in out.splitlines()] == EVENTS


def test_replay_for_people(mien, events):
    code, out, err = mien("replay", events, "--speed", "1000")
    assert (code, out) == (0, "")
    assert "crossed door forward" in err


def test_replay_of_nothing_makes_an_empty_file(mien, tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    assert mien("replay", tmp_path / "none.jsonl", "--events", tmp_path / "again.jsonl")[0] == 0
    assert (tmp_path / "again.jsonl").read_bytes() == b""


def test_replay_refuses(mien, events, tmp_path):
    assert mien("replay", tmp_path / "missing.jsonl")[0] == 3
    assert mien("replay", events, "--speed", "0")[0] == 2
    code, _, err = mien("replay", events, "--events", events)
    assert (code, "file_in_use" in err) == (2, True)
    (tmp_path / "bad.jsonl").write_text("nonsense\n")
    code, _, err = mien("replay", tmp_path / "bad.jsonl")
    assert (code, "event_file_invalid" in err) == (3, True)


def test_report_is_one_file(mien, events, tmp_path):
    code, out, err = mien("report", events, "--out", tmp_path / "r.html")
    assert (code, out) == (0, "")
    assert "r.html" in err
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "Tür" in page
    assert page.count("data:image/png") == 2


def test_report_with_zones_and_a_background(mien, events, tmp_path):
    import cv2
    import numpy as np

    cv2.imwrite(str(tmp_path / "scene.png"), np.full((48, 64, 3), 128, np.uint8))
    (tmp_path / "zones.toml").write_text('[[line]]\nname = "door"\nfrom = [0.5, 0]\nto = [0.5, 1]\n')
    words = ("--zones", tmp_path / "zones.toml", "--background", tmp_path / "scene.png")
    assert mien("report", events, "--out", tmp_path / "plain.html")[0] == 0
    assert mien("report", events, "--out", tmp_path / "full.html", *words)[0] == 0
    assert (tmp_path / "plain.html").read_bytes() != (tmp_path / "full.html").read_bytes()


def test_report_refuses_and_leaves_nothing_behind(mien, events, tmp_path):
    (tmp_path / "bad.toml").write_text("[[lines]]\n")
    assert mien("report", events, "--out", tmp_path / "r.html", "--zones", tmp_path / "bad.toml")[0] == 3
    assert mien("report", tmp_path / "missing.jsonl", "--out", tmp_path / "r.html")[0] == 3
    assert mien("report", events, "--out", tmp_path / "no" / "r.html")[0] == 2
    assert mien("report", events, "--out", events)[0] == 2
    assert not (tmp_path / "r.html").exists()
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".part"]


def test_evaluate_events(mien, events):
    code, out, _ = mien("evaluate", "events", "--truth", events, "--result", events, "--json")
    assert code == 0
    figures = json.loads(out)
    assert figures["events"]["all"]["recall"] == 1.0
    assert figures["lines"]["door"]["truth"] == {"forward": 1, "backward": 0}
    assert mien("evaluate", "events", "--truth", events, "--result", events)[1].count("recall") == 4


class Taking(BaseHTTPRequestHandler):
    """Takes every event; `server.taken` holds them."""

    def do_POST(self):
        self.server.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_replay_to_an_address(mien, events):
    with HTTPServer(("127.0.0.1", 0), Taking) as server:
        server.taken = []
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        code, out, err = mien("replay", events, "--to", f"http://127.0.0.1:{server.server_address[1]}/events")
        server.shutdown()
    assert (code, out) == (0, "")
    assert "3 event(s) sent" in err
    assert server.taken == EVENTS
    code, _, err = mien("replay", events, "--to", "gopher://127.0.0.1/")
    assert (code, "webhook_url_invalid" in err) == (2, True)


def test_report_shows_visitors(mien, tmp_path):
    common = {"event": "left", "time": 9.0, "kind": "person", "duration": 4.0}
    visits = [
        {"visitor": 1, "visit": 1, "sex": "female", "age": 31.0},
        {"visitor": 1, "visit": 2, "sex": "female", "age": 35.0},
        {"visitor": 2, "visit": 1},
        {"visitor": 3, "visit": 1, "staff": True},
    ]
    path = tmp_path / "events.jsonl"
    path.write_text("".join(json.dumps(common | {"track_id": at} | one) + "\n" for at, one in enumerate(visits, 1)))
    assert mien("report", path, "--out", tmp_path / "r.html")[0] == 0
    page = (tmp_path / "r.html").read_text("utf-8")
    table = page.partition("<h3>Visitors</h3>")[2].partition("</table>")[0]
    assert re.findall("<td>(.*?)</td>", table) == ["2", "3", "1", "4.0", "1"]
    assert "By sex" in page
    assert "By age" in page
