"""The rules of the zone file at work on a stream: conditions become episodes, one event where each begins and ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from mien.scene.zones.conditions import AgainstTheWay, Bools, Fallen, View, runs, stays
from mien.scene.zones.episodes import Episodes, Turn
from mien.scene.zones.rule_parameters import Crowding, Fall, Intrusion, Loitering, Rule, Running, WrongDirection
from mien.scene.zones.track_table import TrackTable


class Alarm(NamedTuple):
    """A rule's episode began or ended.

    Attributes:
        rule: which.
        track: index of the track in the sighting; None where the rule is about no single one.
        turn: began or ended, since when, how long.
        people: how many there are, where the rule is about a number.
    """

    rule: Rule
    track: int | None
    turn: Turn
    people: int | None = None


class TrackRule:
    """A rule about each single person.

    Args:
        table: of the stream's tracks.
        rule: any but `Crowding`.
    """

    def __init__(self, table: TrackTable, rule: Rule) -> None:
        self.rule = rule
        self._holds, wait = _condition(table, rule)
        self._episodes = Episodes(table, wait)

    def update(self, view: View) -> list[Alarm]:
        """What began or ended at this frame."""
        turns = self._episodes.update(view.sighting.rows, self._holds(view), view.sighting.time)
        return [Alarm(self.rule, turn.track, turn) for turn in turns]

    def end(self, row: int) -> list[Alarm]:
        """What ends with a track."""
        return [Alarm(self.rule, 0, turn) for turn in self._episodes.end(row)]


class CrowdRule:
    """A rule about how many people there are; `people` is given by who counts them."""

    def __init__(self, rule: Crowding) -> None:
        self.rule = rule
        table = TrackTable()
        self._row = table.rows([0])
        self._episodes = Episodes(table, rule.seconds)

    def update(self, people: int, time: float) -> list[Alarm]:
        """What began or ended with so many people at a time in seconds."""
        turns = self._episodes.update(self._row, np.array([people >= self.rule.people]), time)
        return [Alarm(self.rule, None, turn, people) for turn in turns]

    def finish(self) -> list[Alarm]:
        """What ends with the stream."""
        return [Alarm(self.rule, None, turn) for turn in self._episodes.end(int(self._row[0]))]


def _condition(table: TrackTable, rule: Rule) -> tuple[Callable[[View], Bools], float]:
    """When the rule holds, and for how many seconds it must before it is told."""
    match rule:
        case Intrusion() | Loitering():
            return partial(stays, seconds=rule.seconds), 0.0
        case Running():
            return partial(runs, speed=rule.speed), rule.seconds
        case WrongDirection():
            return AgainstTheWay(table, rule.allowed, rule.distance), 0.0
        case Fall():
            return Fallen(table), rule.seconds
        case Crowding():
            raise TypeError("crowding is about no single person")
