"""A file of events as one page of HTML that needs nothing else: no scripts, no fetches, all text escaped.

The page is built as elements, never as strings: whatever a name holds, it stays text.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np

from mien.drawing.charts import Series, bar_chart
from mien.drawing.heat_map import Float64, heat_map, png, trajectories
from mien.drawing.timeline import clock
from mien.records import Image
from mien.scene.report.facts import Record, StreamFacts, gather
from mien.scene.zones.zone_file import Zones

_STEPS = (1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21_600, 86_400)
_MOST_BARS = 48
_MOST_SHOWN = 20
"""Rows of a list that are shown without being asked for."""
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9")
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #191c20; background: #fafaf8; margin: 2rem auto; max-width: 60rem;
  padding: 0 1rem }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2.5rem; border-bottom: 2px solid #d6d9dd; padding-bottom: .3rem }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem } .tile { background: #fff; border: 1px solid #d6d9dd;
  border-radius: 8px; padding: .6rem 1rem; min-width: 7rem } .tile b { display: block; font-size: 1.6rem }
.tile span, .note { color: #5a6069 }
table { border-collapse: collapse; margin: .5rem 0; overflow-wrap: anywhere } td, th { padding: .3rem .8rem;
  border-bottom: 1px solid #d6d9dd; text-align: right } td:first-child, th:first-child { text-align: left }
img, svg { max-width: 100%; height: auto; display: block } img { border-radius: 8px }
svg.chart { background: #fff; border: 1px solid #d6d9dd; border-radius: 8px; width: 100% }
.grid { stroke: #e3e5e8 } .tick { font-size: 12px; fill: #5a6069 } .axis { font-size: 12px; fill: #191c20 }
@media print { body { margin: 0; max-width: none } h2, figure { break-inside: avoid } }
"""


def report(records: Iterable[Record], *, zones: Zones | None = None, background: Image | None = None) -> bytes:
    """The report of events.

    Args:
        records: events as JSON objects; see `mien.scene.sinks.replay.read_events`.
        zones: drawn into the maps.
        background: RGB picture of the scene, below the maps.

    Returns:
        An HTML document in UTF-8.
    """
    streams = gather(records)
    page = Element("html", {"lang": "en"})
    head = SubElement(page, "head")
    SubElement(head, "meta", {"charset": "utf-8"})
    SubElement(head, "meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"})
    # Nothing may be fetched or run, even if something slipped in.
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": policy})
    SubElement(head, "title").text = "mien: report"
    SubElement(head, "style").text = _STYLE
    body = SubElement(page, "body")
    SubElement(body, "h1").text = "Report"
    if not streams:
        SubElement(body, "p").text = "The file holds no events."
    for facts in streams:
        _stream(body, facts, zones or Zones(), background)
    return b"<!DOCTYPE html>\n" + tostring(page, encoding="utf-8", method="html")


def _stream(body: Element, facts: StreamFacts, zones: Zones, background: Image | None) -> None:
    SubElement(body, "h2").text = facts.name or "Stream"
    SubElement(body, "p", {"class": "note"}).text = _period(facts)
    crossings = sum(len(times) for line in facts.lines.values() for times in line.values())
    dwells = [dwell for zone in facts.zones.values() for dwell in zone.dwells]
    tiles = [("tracks of people", str(len(facts.people)))] if facts.people else []
    tiles += [("tracks of faces", str(len(facts.faces)))] if facts.faces else []
    visits = facts.visits()
    tiles += [("visitors", str(visits["visitors"])), ("visits", str(visits["visits"]))] if visits else []
    tiles += [("people recognized", str(len(facts.subjects)))] if facts.subjects else []
    tiles += [("line crossings", str(crossings))] if facts.lines else []
    tiles += [("visits of zones", str(sum(zone.entered for zone in facts.zones.values())))] if facts.zones else []
    tiles += [("mean stay", f"{np.mean(dwells):.1f} s")] if dwells else []
    tiles += [("alarms", str(len(facts.alarms)))] if facts.rules or facts.alarms else []
    row = SubElement(body, "div", {"class": "tiles"})
    for name, value in tiles:
        tile = SubElement(row, "div", {"class": "tile"})
        SubElement(tile, "b").text = value
        SubElement(tile, "span").text = name
    _counts(body, facts)
    _visitors(body, visits)
    _zones(body, facts)
    _rules(body, facts)
    _subjects(body, facts)
    _maps(body, facts, zones, background)
    if facts.gaps:
        SubElement(body, "h3").text = "The stream was away"
        _table(body, ["until", "seconds"], [[_moment(facts, at), f"{lasted:.1f}"] for at, lasted in facts.gaps])


def _counts(body: Element, facts: StreamFacts) -> None:
    # Hours where there are several, days where there are too many; else as fine as there is room for.
    steps = _STEPS if facts.last < 2 * 3600 else [step for step in _STEPS if step >= 3600]
    step = next((step for step in steps if facts.last / step <= _MOST_BARS), _STEPS[-1])
    # Where the time of day is known, bars begin at full hours or minutes.
    early = 0.0 if facts.start is None else facts.start.timestamp() % step
    bars = int((facts.last + early) // step) + 1
    unit = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}.get(step, f"in {_span(step)}")
    labels = [_moment(facts, at * step - early, short=True) for at in range(bars)]
    x_title = "time (UTC)" if facts.start else "time from the start"
    kinds = (("people", facts.people, _COLOURS[0]), ("faces", facts.faces, _COLOURS[5]))
    appeared = [Series(kind, _binned(times, step, bars, early), colour) for kind, times, colour in kinds if times]
    SubElement(body, "h3").text = f"New tracks {unit}"
    body.append(bar_chart(labels, appeared or [Series("none", [0.0] * bars)], x_title=x_title, y_title="tracks"))
    if not facts.lines:
        return
    SubElement(body, "h3").text = "Lines"
    rows = [
        [name, str(len(line["forward"])), str(len(line["backward"])), str(len(line["forward"]) - len(line["backward"]))]
        for name, line in facts.lines.items()
    ]
    _table(body, ["line", "forward", "backward", "difference"], rows)
    for name, line in facts.lines.items():
        SubElement(body, "h4").text = f"{name}: crossings {unit}"
        series = [
            Series(direction, _binned(times, step, bars, early), colour)
            for (direction, times), colour in zip(line.items(), _COLOURS, strict=False)
        ]
        body.append(bar_chart(labels, series, x_title=x_title, y_title="crossings"))


def _visitors(body: Element, visits: dict[str, Any] | None) -> None:
    if visits is None:
        return
    SubElement(body, "h3").text = "Visitors"
    stay = visits["mean_seconds"]
    row = [visits["visitors"], visits["visits"], visits["returning"], "-" if stay is None else f"{stay:.1f}"]
    heads = ["persons", "person times", "came again", "seen for, mean, s", "staff, left out"]
    _table(body, heads, [[str(value) for value in (*row, visits["staff"])]])
    for name in ("sex", "age"):
        split = visits[name]
        if any(number for group, number in split.items() if group != "unknown"):
            SubElement(body, "h4").text = f"By {name}, as faces told it"
            series = Series("persons", [float(number) for number in split.values()], _COLOURS[3])
            body.append(bar_chart(list(split), [series], x_title=name, y_title="persons"))


def _zones(body: Element, facts: StreamFacts) -> None:
    if not facts.zones:
        return
    SubElement(body, "h3").text = "Zones"
    rows = []
    for name, zone in facts.zones.items():
        stays = [f"{value:.1f}" for value in _quantiles(zone.dwells)] if zone.dwells else ["-"] * 3
        rows.append([name, str(zone.entered), str(len(zone.tracks)), str(zone.peak), *stays])
    _table(body, ["zone", "visits", "tracks", "peak", "mean stay, s", "median, s", "longest, s"], rows)
    for name, zone in facts.zones.items():
        if zone.dwells:
            SubElement(body, "h4").text = f"{name}: lengths of stays"
            step = next((step for step in _STEPS if max(zone.dwells) / step <= 24), _STEPS[-1])
            bars = int(max(zone.dwells) // step) + 1
            labels = [f"{at * step} to {(at + 1) * step}" for at in range(bars)]
            series = Series("stays", _binned(zone.dwells, step, bars), _COLOURS[2])
            body.append(bar_chart(labels, [series], x_title="seconds in the zone", y_title="stays"))


def _rules(body: Element, facts: StreamFacts) -> None:
    if facts.rules:
        SubElement(body, "h3").text = "Rules"
        rows = [
            [name, rule.kind, rule.zone or "-", str(rule.episodes), f"{sum(rule.lasted):.1f}"]
            for name, rule in facts.rules.items()
        ]
        _table(body, ["rule", "kind", "zone", "episodes", "seconds in all"], rows)
    if facts.alarms:
        SubElement(body, "h3").text = "Alarms"
        rows, holder = [], body
        if len(facts.alarms) > _MOST_SHOWN:
            holder = SubElement(body, "details")
            SubElement(holder, "summary").text = f"all {len(facts.alarms)}"
        for record in facts.alarms:
            track = record.get("track_id")
            who = record.get("subject") or ("-" if track is None else f"track {track}")
            what = record.get("rule") or record["event"]
            rows.append([_moment(facts, float(record["time"])), str(what), str(who)])
        _table(holder, ["time", "what", "who"], rows)


def _subjects(body: Element, facts: StreamFacts) -> None:
    if facts.subjects:
        SubElement(body, "h3").text = "People recognized"
        rows = [
            [name, str(len(times)), _moment(facts, min(times)), _moment(facts, max(times))]
            for name, times in facts.subjects.items()
        ]
        _table(body, ["subject", "times", "first", "last"], rows)


def _maps(body: Element, facts: StreamFacts, zones: Zones, background: Image | None) -> None:
    if not facts.paths:
        return
    pictures = (
        ("Where people spent their time", heat_map),
        ("Where people went (ring: begin, dot: end)", trajectories),
    )
    for title, draw in pictures:
        SubElement(body, "h3").text = title
        image = draw(facts.paths, facts.aspect, background=background, outlines=outlines(zones))
        source = "data:image/png;base64," + base64.b64encode(png(image)).decode("ascii")
        SubElement(body, "img", {"src": source, "alt": title, "width": str(image.shape[1])})


def outlines(zones: Zones) -> list[tuple[str, Float64]]:
    """Names and corners `(C, 2)` of zones and lines, for the maps."""
    lines = [(line.name, np.array([line.start, line.end])) for line in zones.lines]
    return lines + [(zone.name, np.array(zone.polygon)) for zone in zones.zones]


def _table(body: Element, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = SubElement(body, "table")
    row = SubElement(SubElement(table, "thead"), "tr")
    for head in heads:
        SubElement(row, "th").text = head
    inner = SubElement(table, "tbody")
    for cells in rows:
        row = SubElement(inner, "tr")
        for cell in cells:
            SubElement(row, "td").text = cell


def _binned(values: Sequence[float], step: float, bars: int, early: float = 0.0) -> list[float]:
    counts = np.bincount(np.clip((np.array(values, float) + early) // step, 0, bars - 1).astype(int), minlength=bars)
    return [float(count) for count in counts]


def _quantiles(values: Sequence[float]) -> tuple[float, float, float]:
    return float(np.mean(values)), float(np.median(values)), float(max(values))


def _period(facts: StreamFacts) -> str:
    if facts.start is None:
        return f"{clock(facts.last)} from the first moment to the last event"
    end = facts.start + timedelta(seconds=facts.last)
    return f"{facts.start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} UTC"


def _moment(facts: StreamFacts, seconds: float, *, short: bool = False) -> str:
    if facts.start is None:
        return clock(seconds)
    moment = facts.start + timedelta(seconds=seconds)
    return (
        f"{moment:%H:%M}"
        if short and facts.last > 600
        else f"{moment:%H:%M:%S}"
        if short
        else f"{moment:%d %b %H:%M:%S}"
    )


def _span(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds >= 60 else f"{seconds} seconds"
