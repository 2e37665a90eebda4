"""What a file of events says, added up for a report."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.scene.visits.visits import AGE_GROUPS, age_group, most_told

Record = Mapping[str, Any]
Path = NDArray[np.float64]

RULES = ("intrusion", "loitering", "wrong_direction", "crowding", "running", "fall")

_MOST_PATHS = 2000
"""Ways that are drawn at most, the newest; more of them are no picture any more."""
_MOST_ALARMS = 500


@dataclass(slots=True)
class ZoneFacts:
    """One zone: who entered, how long each stay was, how many were in it at most."""

    entered: int = 0
    tracks: set[int] = field(default_factory=set)
    dwells: list[float] = field(default_factory=list)
    inside: int = 0
    peak: int = 0


@dataclass(slots=True)
class RuleFacts:
    """One rule: its kind, episodes, and how long those that ended were."""

    kind: str
    zone: str | None
    episodes: int = 0
    lasted: list[float] = field(default_factory=list)


@dataclass(slots=True)
class VisitorFacts:
    """One visitor: numbers of their visits, seconds of their tracks, what their faces told, and whether it is staff."""

    visits: set[int] = field(default_factory=set)
    seconds: float = 0.0
    sexes: Counter[Any] = field(default_factory=Counter)
    ages: list[float] = field(default_factory=list)
    is_staff: bool = False


@dataclass(slots=True)
class StreamFacts:
    """All that is known of one stream.

    Attributes:
        name: the stream's.
        last: seconds of its last event.
        start: UTC of its first moment, where events carry UTC.
        faces, people: seconds at which each track of that kind appeared.
        lines: by name, seconds of each crossing `forward` and `backward`.
        zones, rules: by name. `subjects`: by name, how often and when first and last.
        alarms: rule episodes and watch-list alarms, as they were told; at most 500.
        visitors: by number, those of the tracks that ended.
        gaps: seconds and length of each time that the stream was away.
        paths: ways of the tracks `(K, 3)`; `aspect`: width of the picture over its height.
        events: how many of each kind.
    """

    name: str
    last: float = 0.0
    start: datetime | None = None
    faces: list[float] = field(default_factory=list)
    people: list[float] = field(default_factory=list)
    lines: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    zones: dict[str, ZoneFacts] = field(default_factory=dict)
    rules: dict[str, RuleFacts] = field(default_factory=dict)
    subjects: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    alarms: list[Record] = field(default_factory=list)
    visitors: dict[int, VisitorFacts] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    aspect: float = 16 / 9
    events: Counter[str] = field(default_factory=Counter)

    def visits(self) -> dict[str, Any] | None:
        """Totals without staff, as in the summary of `mien watch`; None where no event told of a visitor."""
        if not self.visitors:
            return None
        people = [visitor for visitor in self.visitors.values() if not visitor.is_staff]
        times = sum(len(visitor.visits) for visitor in people)
        sexes = Counter(most_told(visitor.sexes) for visitor in people)
        ages = Counter(age_group(float(np.mean(one.ages)) if one.ages else None) for one in people)
        return {
            "visits": times,
            "visitors": len(people),
            "returning": sum(max(visitor.visits) > 1 for visitor in people),
            "mean_seconds": sum(visitor.seconds for visitor in people) / times if times else None,
            "sex": {name: sexes[name] for name in ("male", "female", "unknown")},
            "age": {name: ages[name] for name in (*AGE_GROUPS, "unknown")},
            "staff": len(self.visitors) - len(people),
        }


def gather(records: Iterable[Record]) -> list[StreamFacts]:
    """The facts of each stream, in the order in which they come; fields that are missing or odd are passed over."""
    streams: dict[str, StreamFacts] = {}
    for record in records:
        name = str(record.get("stream") or "")
        _add(streams.setdefault(name, StreamFacts(name)), record)
    return list(streams.values())


def _add(facts: StreamFacts, record: Record) -> None:
    event, time = str(record["event"]), float(record["time"])
    facts.events[event] += 1
    facts.last = max(facts.last, time)
    if facts.start is None:
        facts.start = _start(record, time)
    if event == "appeared":
        (facts.people if record.get("kind") == "person" else facts.faces).append(time)
    elif event == "left":
        _add_path(facts, record)
        _add_visit(facts, record)
    elif event == "crossed":
        line = facts.lines.setdefault(str(record.get("line")), {"forward": [], "backward": []})
        if record.get("direction") in line:
            line[str(record["direction"])].append(time)
    elif event in ("entered", "exited"):
        _add_stay(facts.zones.setdefault(str(record.get("zone")), ZoneFacts()), event, record)
    elif event in RULES:
        _add_episode(facts, event, record)
    elif event in ("recognized", "alarm"):
        if event == "recognized":
            facts.subjects[str(record.get("subject"))].append(time)
        elif len(facts.alarms) < _MOST_ALARMS:
            facts.alarms.append(record)
    elif event == "gap":
        facts.gaps.append((time, _number(record.get("seconds")) or 0.0))


def _start(record: Record, time: float) -> datetime | None:
    try:
        return datetime.fromisoformat(str(record["utc"])) - timedelta(seconds=time)
    except (KeyError, ValueError, OverflowError):
        return None


def _add_stay(zone: ZoneFacts, event: str, record: Record) -> None:
    if event == "entered":
        zone.entered += 1
        zone.inside += 1
        zone.peak = max(zone.peak, zone.inside)
        if isinstance(record.get("track_id"), int):
            zone.tracks.add(record["track_id"])
        return
    zone.inside = max(0, zone.inside - 1)
    dwell = _number(record.get("dwell"))
    if dwell is not None:
        zone.dwells.append(dwell)


def _add_episode(facts: StreamFacts, event: str, record: Record) -> None:
    zone = record.get("zone")
    rule = facts.rules.setdefault(
        str(record.get("rule") or event), RuleFacts(event, None if zone is None else str(zone))
    )
    if record.get("phase") == "end":
        lasted = _number(record.get("lasted"))
        if lasted is not None:
            rule.lasted.append(lasted)
        return
    rule.episodes += 1
    if len(facts.alarms) < _MOST_ALARMS:
        facts.alarms.append(record)


def _add_path(facts: StreamFacts, record: Record) -> None:
    try:
        path = np.array(record["path"], np.float64).reshape(-1, 3)
        width, height = (float(side) for side in record["picture"])
    except (KeyError, TypeError, ValueError):
        return
    if not len(path) or not np.isfinite(path).all() or not 0.05 <= width / max(height, 1e-9) <= 20:
        return
    facts.aspect = width / height
    facts.paths.append(path[path[:, 0].argsort(kind="stable")])
    del facts.paths[:-_MOST_PATHS]


def _add_visit(facts: StreamFacts, record: Record) -> None:
    number, visit = record.get("visitor"), record.get("visit")
    if not isinstance(number, int) or not isinstance(visit, int):
        return
    visitor = facts.visitors.setdefault(number, VisitorFacts())
    visitor.visits.add(visit)
    visitor.seconds += _number(record.get("duration")) or 0.0
    if record.get("sex") in ("male", "female"):
        visitor.sexes[record["sex"]] += 1
    age = _number(record.get("age"))
    visitor.ages += [] if age is None else [age]
    visitor.is_staff |= record.get("staff") is True


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None
