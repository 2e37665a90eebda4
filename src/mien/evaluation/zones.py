"""Are crossings and stays right? Those of a clip's events against those that its true boxes give."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from mien.errors import BadInputError
from mien.evaluation.motchallenge import Boxes, read_truth
from mien.media.files import shown
from mien.scene.report.facts import gather
from mien.scene.sinks.replay import read_events
from mien.scene.zones.behaviour import Behaviour
from mien.scene.zones.zone_file import Zones, load_zones


def evaluate(
    truth: str | os.PathLike[str], zones: str | os.PathLike[str], result: str | os.PathLike[str]
) -> dict[str, Any]:
    """Compares the events of one clip with the same lines and zones over its ground truth.

    Args:
        truth: boxes in the MOTChallenge's form; frame 1 is the clip's first.
        zones: the zone file that the events were made with.
        result: events of `mien watch --people --zones --events`. They also say how many frames a second the clip has
            and how large its pictures are.

    Returns:
        `lines`: by name, crossings `forward` and `backward` in truth and result; `zones`: by name, `visits` and
        `mean_dwell` in frames in truth and result, and `dwell_error`, the relative error of the mean; and
        `mean_dwell_error`, the mean of its amount over the zones.

    Raises:
        BadInputError: a file is missing or not of its kind; `events_without_pictures`: no event of the result tells
            the pictures' size.
    """
    what, records = load_zones(zones), list(read_events(result))
    pictures = [record["picture"] for record in records if "picture" in record]
    rates = [record["frame"] / record["time"] for record in records if record["time"] > 0 and record.get("frame")]
    if not pictures or not rates:
        raise BadInputError(
            f"{shown(result)}: no event tells the size of the pictures and the time of a frame; make the events with "
            "`mien watch --people --zones`",
            code="events_without_pictures",
        )
    rate = float(np.median(rates))
    true = true_counts(read_truth(os.fspath(truth)), what, rate, pictures[0])
    told = gather(records)[0]
    lines = {}
    for name, counts in true["lines"].items():
        crossed = told.lines.get(name, {"forward": [], "backward": []})
        lines[name] = {"truth": counts, "result": {way: len(times) for way, times in crossed.items()}}
    stays, errors = {}, []
    for name, dwells in true["zones"].items():
        zone = told.zones.get(name)
        dwell, expected = _mean(zone.dwells if zone else []), _mean(dwells)
        error = dwell / expected - 1 if expected else None
        errors += [] if error is None else [abs(error)]
        stays[name] = {
            "truth": {"visits": len(dwells), "mean_dwell": round(expected * rate, 2)},
            "result": {"visits": zone.entered if zone else 0, "mean_dwell": round(dwell * rate, 2)},
            "dwell_error": None if error is None else round(error, 4),
        }
    return {"lines": lines, "zones": stays, "mean_dwell_error": round(_mean(errors), 4) if errors else None}


ABSENT_SECONDS = 2.0
"""Without a true box for that long, nobody knows where a person was: the stay ends with the last box before. People who
are only hidden have boxes in such truths; those of PETS who go far away have none for seven to ten seconds."""


def true_counts(truth: Boxes, zones: Zones, rate: float, picture: Sequence[int]) -> dict[str, dict[str, Any]]:
    """Crossings and stays of true boxes at `rate` frames a second, in pictures of `(width, height)` pixels.

    Each person is followed alone: what a `Behaviour` does about broken tracks has no place in the truth.

    Returns:
        `lines`: by name, crossings `forward` and `backward`; `zones`: by name, the seconds of each stay.
    """
    lines = {line.name: {"forward": 0, "backward": 0} for line in zones.lines}
    stays: dict[str, list[float]] = {zone.name: [] for zone in zones.zones}
    for number in np.unique(truth.ids[truth.evaluated]).tolist():
        mine = truth.evaluated & (truth.ids == number)
        behaviour, told = Behaviour(zones), []
        seen = 0
        for frame, box in zip(truth.frames[mine].tolist(), truth.boxes[mine].astype(np.float32), strict=True):
            if frame - seen > ABSENT_SECONDS * rate:
                told += behaviour.end([number])
            seen = frame
            told += behaviour.update(
                np.array([number]), box[None], time=(frame - 1) / rate, width=int(picture[0]), height=int(picture[1])
            )
        for happening in told + behaviour.end([number]):
            if happening.event == "crossed":
                lines[happening.facts["line"]][happening.facts["direction"]] += 1
            elif happening.event == "exited":
                stays[happening.facts["zone"]].append(happening.facts["dwell"])
    return {"lines": lines, "zones": stays}


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
