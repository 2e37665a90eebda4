"""Turns what becomes known of tracks into events, and adds up the subjects."""

from __future__ import annotations

from typing import Any, Literal

from mien.drawing.annotate import Label
from mien.records import Frame
from mien.scene.events import Event, EventName, gap
from mien.scene.moment import Summary
from mien.scene.recognizer import Trace
from mien.scene.zones.behaviour import Happening

Kind = Literal["face", "person"]

_SETTLED_SECONDS = 1.0
"""How long after its first search a track that resembles nobody is called unknown: better shots come meanwhile."""


class Teller:
    """Makes the events of one stream's tracks.

    Args:
        summary: its `subjects` are kept up to date.
        stream: the stream's name.
        is_watch_list: whether whoever is recognized is an alarm, too.
    """

    def __init__(self, summary: Summary, stream: str, is_watch_list: bool) -> None:
        self._summary, self._stream, self._is_watch_list = summary, stream, is_watch_list

    def event(
        self, name: EventName, track_id: int, trace: Trace, frame: Frame, kind: Kind | None = None, **facts: Any
    ) -> Event:
        """An event about a track as it is now; `kind` is told where a stream has tracks of both kinds."""
        if trace.match is not None and trace.match.subject in self._summary.subjects:
            self._summary.subjects[trace.match.subject]["last"] = round(trace.seen, 3)
        return Event(
            event=name,
            time=frame.time,
            frame=frame.index,
            track_id=track_id,
            box=trace.box,
            subject=trace.subject,
            similarity=trace.similarity,
            quality=trace.quality,
            duration=trace.seen - trace.began,
            utc=frame.utc,
            stream=self._stream,
            facts=facts if kind is None else {"kind": kind, **facts},
        )

    def happened(self, happening: Happening, trace: Trace | None, frame: Frame) -> Event:
        """The event of something in a line, a zone or a rule; `trace` of whom it is about, None where it is nobody."""
        return Event(
            event=happening.event,
            time=frame.time,
            frame=frame.index,
            track_id=happening.track_id,
            box=happening.box,
            subject=None if trace is None else trace.subject,
            similarity=None if trace is None else trace.similarity,
            quality=None if trace is None else trace.quality,
            duration=None if trace is None else trace.seen - trace.began,
            utc=frame.utc,
            stream=self._stream,
            facts=happening.facts if trace is None else {"kind": "person", **happening.facts},
        )

    def gap(self, seconds: float, frame: Frame) -> Event:
        """The event of a stream that came back with `frame`."""
        return gap(seconds, time=frame.time, frame=frame.index, stream=self._stream, utc=frame.utc)

    def decided(
        self,
        track_id: int,
        trace: Trace,
        frame: Frame,
        before: str | None,
        kind: Kind | None = None,
        *,
        is_over: bool = False,
    ) -> list[Event]:
        """The events of a decision that has just been made; `before` is who it was taken for until then."""
        if trace.match is not None:
            if trace.match.subject == before:
                return []
            # Also where a better shot shows that it is somebody else: who reads the events must learn it.
            names: tuple[EventName, ...] = ("recognized", "alarm") if self._is_watch_list else ("recognized",)
            first = {"tracks": 0, "first": round(trace.began, 3)}
            self._summary.subjects.setdefault(trace.match.subject, first)["tracks"] += 1
            return [self.event(name, track_id, trace, frame, kind) for name in names]
        is_settled = is_over or (trace.asked is not None and frame.time - trace.asked >= _SETTLED_SECONDS)
        if trace.asked is not None and is_settled and not trace.is_unknown:
            trace.is_unknown = True
            return [self.event("unknown", track_id, trace, frame, kind)]
        return []


def label_of(trace: Trace) -> Label:
    """What is known about a track, for a picture."""
    if trace.match is not None:
        return Label("recognized", trace.match.subject, trace.match.similarity)
    return Label("unknown" if trace.is_unknown else "undecided")
