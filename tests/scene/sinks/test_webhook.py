"""Events to an address: a real server on the loopback takes them."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mien.errors import BadInputError, MissingError, UsageError
from mien.scene.sinks import webhook
from mien.scene.sinks.webhook import Webhook

EVENTS = [{"event": "appeared", "time": float(at), "stream": "Tür"} for at in range(5)]


class Receiver(ThreadingHTTPServer):
    """Answers with the statuses in `answers` first, then with 204; `block` holds it back."""

    def __init__(self, protocol: str) -> None:
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.seen: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.open = threading.Event()
        self.open.set()
        kind = type("Handler", (Handler,), {"protocol_version": protocol})
        super().__init__(("127.0.0.1", 0), kind)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"

    @property
    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for _, headers, _ in self.seen]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        self.server.open.wait(10)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), body))
        status, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        if status == 0:  # hang up
            self.close_connection = True
            return
        said = b"" if status == 204 else b"no\r\nmore"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=["HTTP/1.0", "HTTP/1.1"])
def receiver(request) -> Iterator[Receiver]:
    with Receiver(request.param) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.open.set()
        server.shutdown()
        thread.join()


def send(url, events=EVENTS, sleep=lambda seconds: None):
    with Webhook(url, sleep=sleep) as hook:
        for event in events:
            hook.write(event)
    return hook.taken


def test_every_event_arrives_once_in_order_with_a_key_of_its_own(receiver):
    assert send(receiver.url + "?to=a b") == 5
    assert [json.loads(body) for _, _, body in receiver.seen] == EVENTS
    assert len(set(receiver.keys)) == 5
    path, headers, body = receiver.seen[0]
    assert path == "/hook?to=a%20b"
    assert headers["Content-Type"] == "application/json"
    assert "Tür".encode() in body
    assert receiver.connections == (1 if receiver.RequestHandlerClass.protocol_version == "HTTP/1.1" else 5)


def test_the_same_events_have_the_same_keys_again_and_equal_ones_of_a_stream_do_not(receiver):
    send(receiver.url)
    send(receiver.url)
    assert receiver.keys[:5] == receiver.keys[5:]
    send(receiver.url, [EVENTS[0], EVENTS[0]])
    assert receiver.keys[10] == receiver.keys[0]
    assert receiver.keys[11] not in receiver.keys[:11]


def test_what_was_not_taken_is_sent_again_later_with_the_same_key(receiver):
    receiver.answers = [(503, {}), (429, {"Retry-After": "7"}), (500, {}), (0, {}), (500, {"Retry-After": "9999"})]
    pauses: list[float] = []
    assert send(receiver.url, EVENTS[:2], pauses.append) == 2
    assert pauses[0] == 0.5
    assert pauses[1] == 7.0
    assert pauses[2] == 2.0
    assert pauses[-1] == 30.0
    assert len(set(receiver.keys)) == 2
    assert receiver.keys == sorted(receiver.keys, key=receiver.keys.index)  # the second waits for the first
    assert [json.loads(body) for _, _, body in receiver.seen][-1] == EVENTS[1]


@pytest.mark.parametrize(("status", "text"), [(404, "404"), (401, "credentials"), (302, "elsewhere")])
def test_a_refusal_is_told_at_once(receiver, status, text):
    receiver.answers = [(204, {}), (status, {"Location": "http://elsewhere/"} if status == 302 else {})]
    with pytest.raises(BadInputError) as caught:
        send(receiver.url)
    assert caught.value.code == "webhook_refused"
    assert "event 2" in str(caught.value)
    assert text in str(caught.value)
    assert "\r" not in str(caught.value)
    assert len(receiver.seen) == 2


def test_nobody_is_there():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}/x?key=secret"
        pauses: list[float] = []
        with pytest.raises(MissingError) as caught:
            send(url, EVENTS[:1], pauses.append)
    assert caught.value.code == "webhook_unreachable"
    assert "secret" not in str(caught.value)
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30]


def test_a_slow_receiver_holds_the_writer_back_and_nothing_is_lost(receiver, monkeypatch):
    monkeypatch.setattr(webhook, "WAITING", 2)
    receiver.open.clear()
    written = []

    def write() -> None:
        with Webhook(receiver.url) as hook:
            for event in EVENTS:
                hook.write(event)
                written.append(event)

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(0.5)
    assert len(written) in (2, 3)  # two wait; one more is being sent
    receiver.open.set()
    writer.join(10)
    assert [json.loads(body) for _, _, body in receiver.seen] == EVENTS


def test_an_interruption_does_not_wait_for_the_receiver(receiver):
    receiver.answers = [(503, {})] * 8
    hook = Webhook(receiver.url)

    def interrupted() -> None:
        with hook:
            hook.write(EVENTS[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    hook._thread.join(5)
    assert not hook._thread.is_alive()
    assert len(receiver.seen) <= 2


def test_user_and_password_are_sent_as_basic_authentication(receiver):
    send(receiver.url.replace("://", "://me:p%40ss@"), EVENTS[:1])
    kind, _, account = receiver.seen[0][1]["Authorization"].partition(" ")
    assert (kind, base64.b64decode(account)) == ("Basic", b"me:p@ss")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "127.0.0.1:80/x", "http://", "http://h:99999/", ""])
def test_other_addresses_are_refused(url):
    with pytest.raises(UsageError) as caught:
        Webhook(url)
    assert caught.value.code == "webhook_url_invalid"
