"""What people do in the lines, zones and rules of one stream: tracks in, happenings out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.records import Float32
from mien.scene.events import RuleEventName, ZoneEventName
from mien.scene.zones.conditions import View
from mien.scene.zones.counting import LineCounter
from mien.scene.zones.motion import Motion
from mien.scene.zones.occupancy import OccupancyCounter
from mien.scene.zones.rule_parameters import Crowding, rule_title
from mien.scene.zones.rules import Alarm, CrowdRule, TrackRule
from mien.scene.zones.sighting import Sighting, Sightings
from mien.scene.zones.stays import Stays
from mien.scene.zones.track_table import TrackTable
from mien.scene.zones.trajectories import Trajectories
from mien.scene.zones.zone_file import Zones


@dataclass(frozen=True, slots=True, eq=False)
class Happening:
    """Something for an `Event`.

    Attributes:
        event: its name.
        track_id: whose; None where it is about a zone.
        box: where the track was last seen, `xyxy` `(4,)` in pixels; None where it is about a zone.
        facts: what the contract says for that event.
    """

    event: ZoneEventName | RuleEventName
    track_id: int | None
    box: Float32 | None
    facts: Mapping[str, Any]


@dataclass(slots=True)
class _Visits:
    """Totals of one zone."""

    visits: int = 0
    tracks: set[int] = field(default_factory=set)
    ended: int = 0
    seconds: float = 0.0


class Behaviour:
    """Follows the tracks of one stream; a new one for each stream, which goes on over gaps in it.

    Args:
        zones: what to look for; an empty one follows trajectories alone.

    Example:
        >>> door = Zones.model_validate({"line": [{"name": "door", "from": (0.5, 0), "to": (0.5, 1)}]})
        >>> behaviour, told = Behaviour(door), []
        >>> for step, x in enumerate((10, 30, 50, 70)):
        ...     box = np.array([[x, 20, x + 20, 80]], np.float32)
        ...     told += behaviour.update(np.array([1]), box, time=step / 5, width=100, height=100)
        >>> [(one.event, dict(one.facts)) for one in told]
        [('crossed', {'line': 'door', 'direction': 'forward'})]
    """

    def __init__(self, zones: Zones) -> None:
        self._zones = zones
        self._table = TrackTable()
        self._boxes = self._table.column(0.0, 4, dtype=np.float32)
        self._began = self._table.column(np.nan)
        self._sightings = Sightings(self._table)
        self._lines = LineCounter(self._table, zones.lines)
        self._stays = Stays(self._table, zones.zones)
        self._motion = Motion(self._table)
        self._occupancy = OccupancyCounter(self._table, self._stays.inside)
        self._trajectories = Trajectories(self._table)
        self._rules = [TrackRule(self._table, rule) for rule in zones.rules if not isinstance(rule, Crowding)]
        self._crowds = [CrowdRule(rule) for rule in zones.rules if isinstance(rule, Crowding)]
        self._numbers = {zone.name: number for number, zone in enumerate(zones.zones)}
        self._visits = [_Visits() for _ in zones.zones]
        self._episodes = {rule_title(rule): 0 for rule in zones.rules}

    def update(
        self, track_ids: NDArray[np.int64], boxes: Float32, *, time: float, width: int, height: int
    ) -> list[Happening]:
        """Takes the next frame, also one without anybody.

        Args:
            track_ids: int64 `(T,)`: the tracks that were seen in it, each once.
            boxes: `xyxy` float32 `(T, 4)` in pixels of this frame.
            time: seconds from the stream's start, ascending.
            width, height: of this frame in pixels; they may change.

        Returns:
            What happened, in an order that the same tracks give again.

        Raises:
            UsageError: `tracks_mismatch`: as many boxes as tracks are needed.
        """
        boxes, time = np.asarray(boxes, np.float32).reshape(-1, 4), float(time)
        if len(boxes) != len(track_ids):
            raise UsageError(
                f"{len(track_ids)} tracks and {len(boxes)} boxes; give one box a track", code="tracks_mismatch"
            )
        sighting = self._sightings.next(np.asarray(track_ids, np.int64), boxes, time, width, height)
        rows = sighting.rows
        self._boxes.values[rows] = boxes
        self._began.values[rows] = np.where(np.isnan(self._began.values[rows]), time, self._began.values[rows])
        self._trajectories.update(sighting)
        velocity = self._motion.update(sighting)
        happenings = self._crossed(sighting) + self._changed(sighting)
        self._occupancy.update(sighting, velocity)
        alarms = [alarm for rule in self._rules for alarm in rule.update(self._view(rule, sighting, velocity))]
        for crowd in self._crowds:
            alarms += crowd.update(self._people(crowd.rule.zone), time)
        return happenings + [
            self._alarm(alarm, None if alarm.track is None else int(sighting.ids[alarm.track])) for alarm in alarms
        ]

    def end(self, track_ids: Iterable[int]) -> list[Happening]:
        """Tracks that were given up: they leave the zones that they were in when they were last seen."""
        happenings = []
        for track_id in track_ids:
            if track_id not in self._table:
                continue
            row = self._table.row(track_id)
            happenings += [self._exited(track_id, change.zone, change.dwell or 0.0) for change in self._stays.end(row)]
            for rule in self._rules:
                happenings += [self._alarm(alarm, track_id) for alarm in rule.end(row)]
            self._trajectories.remove(track_id)
            self._table.remove(track_id)
        return happenings

    def finish(self) -> list[Happening]:
        """The stream is over; call it after `end` of its last tracks."""
        return [self._alarm(alarm, None) for crowd in self._crowds for alarm in crowd.finish()]

    def path(self, track_id: int) -> list[list[float]]:
        """Where a track that has not ended was: `[seconds, x, y]` of its foot, in fractions of the picture."""
        return self._trajectories.path(track_id)

    def summary(self) -> dict[str, Any]:
        """Totals so far, as the contract's `lines` and `zones`, and the number of episodes of each rule."""
        lines = {
            line.name: {"forward": int(forward), "backward": int(backward)}
            for line, (forward, backward) in zip(self._zones.lines, self._lines.counts.tolist(), strict=True)
        }
        zones = {}
        for zone, visits, now in zip(self._zones.zones, self._visits, self._occupancy.zones, strict=True):
            zones[zone.name] = {
                "visits": visits.visits,
                "people": len(visits.tracks),
                "mean_dwell": round(visits.seconds / visits.ended, 3) if visits.ended else None,
                "peak": now.peak,
                "mean_people": round(now.person_seconds / now.seconds, 3) if now.seconds else 0.0,
                "longest_queue": now.longest_queue,
                "mean_queue": round(now.waiting_seconds / now.seconds, 3) if now.seconds else 0.0,
            }
        return {"lines": lines, "zones": zones, "rules": dict(self._episodes)}

    def _crossed(self, sighting: Sighting) -> list[Happening]:
        return [
            self._happening(
                "crossed",
                int(sighting.ids[crossing.track]),
                line=self._zones.lines[crossing.line].name,
                direction="forward" if crossing.forward else "backward",
            )
            for crossing in self._lines.update(sighting)
        ]

    def _changed(self, sighting: Sighting) -> list[Happening]:
        entered, exited = self._stays.update(sighting)
        happenings = [
            self._exited(int(sighting.ids[change.track]), change.zone, change.dwell or 0.0) for change in exited
        ]
        for change in entered:
            track_id = int(sighting.ids[change.track])
            self._visits[change.zone].visits += 1
            self._visits[change.zone].tracks.add(track_id)
            happenings.append(self._happening("entered", track_id, zone=self._zones.zones[change.zone].name))
        return happenings

    def _exited(self, track_id: int, zone: int, dwell: float) -> Happening:
        self._visits[zone].ended += 1
        self._visits[zone].seconds += dwell
        return self._happening("exited", track_id, zone=self._zones.zones[zone].name, dwell=round(dwell, 3))

    def _view(self, rule: TrackRule, sighting: Sighting, velocity: NDArray[np.float64]) -> View:
        rows = sighting.rows
        if rule.rule.zone is None:
            return View(sighting, velocity, np.ones(len(rows), np.bool_), self._began.values[rows])
        zone = self._numbers[rule.rule.zone]
        return View(sighting, velocity, self._stays.inside.values[rows, zone], self._stays.since.values[rows, zone])

    def _people(self, zone: str | None) -> int:
        occupancy = self._occupancy.everywhere if zone is None else self._occupancy.zones[self._numbers[zone]]
        return occupancy.people

    def _alarm(self, alarm: Alarm, track_id: int | None) -> Happening:
        turn, title = alarm.turn, rule_title(alarm.rule)
        facts: dict[str, Any] = {"rule": title, "zone": alarm.rule.zone, "phase": "end" if turn.is_end else "start"}
        facts["since"] = round(turn.since, 3)
        if turn.is_end:
            facts["lasted"] = round(turn.lasted, 3)
        else:
            self._episodes[title] += 1
            if alarm.people is not None:
                facts["people"] = alarm.people
        return self._happening(alarm.rule.kind, track_id, **facts)

    def _happening(
        self, event: ZoneEventName | RuleEventName, track_id: int | None, **facts: str | float | None
    ) -> Happening:
        box = None if track_id is None else self._boxes.values[self._table.row(track_id)].copy()
        return Happening(event, track_id, box, facts)
