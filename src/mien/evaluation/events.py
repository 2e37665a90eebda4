"""Are events right? Precision, recall and false alarms an hour against a file of what truly happened."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError, UsageError
from mien.evaluation.counting import counting_error
from mien.media.files import check_file, shown
from mien.scene.sinks.replay import read_events

Float64 = NDArray[np.float64]

_WHERE = ("line", "direction", "zone")
"""Keys that tell two events of one kind apart, where the truth has them."""


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """How two lists of times agree.

    Attributes:
        right: results that are true.
        false: results that are not.
        missed: truths without a result.
        delay: mean of result minus truth over the right ones in seconds; None where there are none.
    """

    right: int
    false: int
    missed: int
    delay: float | None

    def to_dict(self, hours: float) -> dict[str, Any]:
        """The figures; one that nothing can be divided by is None."""
        told, truths = self.right + self.false, self.right + self.missed
        return {
            "precision": round(self.right / told, 4) if told else None,
            "recall": round(self.right / truths, 4) if truths else None,
            "false_alarms_per_hour": round(self.false / hours, 4) if hours else None,
            "truths": truths,
            "results": told,
            "delay": None if self.delay is None else round(self.delay, 3),
        }


def agreement(truths: Float64, results: Float64, tolerance: float) -> Agreement:
    """Pairs each result with at most one truth that is near enough, as many as possible.

    Taking both in the order of time and pairing the earliest that fit finds the most pairs, for all intervals have
    the same length.

    Args:
        truths: seconds `(N,)`.
        results: seconds `(M,)`.
        tolerance: largest difference >= 0 of a pair, in seconds.

    Example:
        >>> agreement(np.array([1.0, 5.0]), np.array([1.4, 9.0]), 1.0)
        Agreement(right=1, false=1, missed=1, delay=0.3999999999999999)
    """
    truths, results = np.sort(truths), np.sort(results)
    delays: list[float] = []
    at = 0
    for truth in truths:
        while at < len(results) and results[at] < truth - tolerance:
            at += 1
        if at < len(results) and results[at] <= truth + tolerance:
            delays.append(float(results[at] - truth))
            at += 1
    right = len(delays)
    return Agreement(right, len(results) - right, len(truths) - right, float(np.mean(delays)) if delays else None)


def evaluate(
    truth: str | os.PathLike[str], result: str | os.PathLike[str], *, tolerance: float = 2.0
) -> dict[str, Any]:
    """Compares a file of events with the truth, kind by kind.

    Only kinds of events that the truth says something about are looked at: those in it, and those its first line
    names: `{"truth": {"events": ["fall", "crossed"], "seconds": 3600}}`. An episode counts once, at its start.

    Args:
        truth: JSON lines with `event` and `time`, and `line`, `direction` or `zone` where they matter.
        result: JSON lines as written by `mien watch --events`.
        tolerance: largest difference of their times in seconds, >= 0.

    Returns:
        `seconds`; `events`: a row a kind, and one for `all`; `lines`: the counting error of each line.

    Raises:
        BadInputError: a file is missing or no file of events; `truth_empty`: it says nothing about any event.
        UsageError: `tolerance_out_of_range`.
    """
    if not 0 <= tolerance < float("inf"):
        raise UsageError(f"tolerance = {tolerance}; give seconds of 0 or more", code="tolerance_out_of_range")
    scope = _scope(truth)
    true = [record for record in read_events(truth) if record.get("phase") != "end"]
    kinds = set(scope.get("events", ())) | {record["event"] for record in true}
    if not kinds:
        raise BadInputError(f"{shown(truth)}: has no events to compare with", code="truth_empty")
    told = [record for record in read_events(result) if record["event"] in kinds and record.get("phase") != "end"]
    keys = [key for key in _WHERE if not true or any(key in record for record in true)]
    true_times, told_times = _times(true, keys), _times(told, keys)
    latest = max((record["time"] for record in (*true, *read_events(result))), default=0.0)
    seconds = float(scope.get("seconds") or latest)
    rows = {name: agreement(true_times[name], told_times[name], tolerance) for name in sorted(true_times | told_times)}
    delays = [(row.delay, row.right) for row in rows.values() if row.delay is not None]
    everything = Agreement(
        sum(row.right for row in rows.values()),
        sum(row.false for row in rows.values()),
        sum(row.missed for row in rows.values()),
        sum(delay * count for delay, count in delays) / sum(count for _, count in delays) if delays else None,
    )
    hours = seconds / 3600
    events = {" ".join(name): row.to_dict(hours) for name, row in rows.items()}
    return {
        "seconds": round(seconds, 3),
        "events": {**events, "all": everything.to_dict(hours)},
        "lines": counting_error(true, told, seconds) if "crossed" in kinds else {},
    }


def _scope(truth: str | os.PathLike[str]) -> dict[str, Any]:
    """What the first line of a truth file says about it."""
    path, _ = check_file(truth)
    with path.open("rb") as file:
        line = file.readline()
    try:
        record = json.loads(line)
    except ValueError:
        return {}  # whatever is wrong is told when the events are read
    scope = record.get("truth") if isinstance(record, dict) else None
    if scope is None:
        return {}
    seconds = scope.get("seconds", 0) if isinstance(scope, dict) else None
    events = scope.get("events", []) if isinstance(scope, dict) else None
    if not isinstance(seconds, int | float) or seconds < 0 or not isinstance(events, list):
        raise BadInputError(
            f'{shown(truth)}, line 1: {scope!r}; expected {{"events": [names], "seconds": number}}',
            code="event_file_invalid",
        )
    return scope


def _times(records: Iterable[Mapping[str, Any]], keys: list[str]) -> defaultdict[tuple[str, ...], Float64]:
    """Seconds of each kind of event at each place; an episode's is its start."""
    times: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for record in records:
        name = (record["event"], *(str(record[key]) for key in keys if record.get(key) is not None))
        times[name].append(float(record.get("since", record["time"])))
    return defaultdict(lambda: np.empty(0), {name: np.array(values) for name, values in times.items()})
