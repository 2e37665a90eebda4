"""A picture of a whole stream: each track's best shot with who it is, above a timeline of when it was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from mien.drawing.annotate import Label
from mien.drawing.contact_sheet import Tile, contact_sheet
from mien.drawing.timeline import Row, timeline
from mien.face.quality import quality_bound
from mien.geometry import square_box
from mien.records import Face, Frame, Image, Person
from mien.scene.events import Event
from mien.scene.moment import Moment

_TILE = 160
_MOST_TRACKS = 200
"""Pictures kept at most; a stream of days must not fill the memory. Later tracks are not shown."""


@dataclass(slots=True)
class _Entry:
    shot: Image
    worth: float
    label: Label
    first: float
    last: float


class TrackSheet:
    """Gathers the best shot of each track while a stream is watched, of bodies where they are followed, else of faces;
    memory is bounded."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._end = 0.0

    def add(self, moment: Moment) -> None:
        """Takes one moment, before anything is drawn into its frame."""
        self._end = max(self._end, moment.frame.time)
        for finding, label in _shown(moment):
            track_id, worth = finding.track_id or 0, _worth(finding, moment.frame)
            entry = self._entries.get(track_id)
            if entry is None:
                if len(self._entries) >= _MOST_TRACKS:
                    continue
                entry = _Entry(_cut(moment.frame, finding), worth, label, moment.frame.time, moment.frame.time)
                self._entries[track_id] = entry
            elif worth > entry.worth + 0.02:
                entry.shot, entry.worth = _cut(moment.frame, finding), worth
            entry.label, entry.last = label, moment.frame.time
        for event in moment.events:  # a track may be decided on as it ends, when it is no longer shown
            if event.track_id in self._entries and event.event in ("recognized", "unknown"):
                self._entries[event.track_id].label = _decided(event)

    def draw(self) -> Image:
        """The sheet, RGB uint8 `(H, W, 3)`."""
        tiles = [
            Tile(entry.shot, _name(entry.label, track_id), f"{entry.first:.1f} to {entry.last:.1f} s")
            for track_id, entry in self._entries.items()
        ]
        sheet = contact_sheet(tiles, tile=_TILE)
        rows: dict[str, Row] = {}
        for track_id, entry in self._entries.items():
            name = _name(entry.label, track_id)
            before = rows[name].spans if name in rows else []
            rows[name] = Row(name, [*before, (entry.first, entry.last)], entry.label.state)
        times = timeline(list(rows.values()), max(self._end, 0.1), width=max(sheet.shape[1], 640))
        width = max(sheet.shape[1], times.shape[1])
        return np.concatenate([_widened(sheet, width), _widened(times, width)])


def _decided(event: Event) -> Label:
    """What a `recognized` or `unknown` event says about a track."""
    if event.event == "recognized":
        return Label("recognized", event.subject or "", event.similarity)
    return Label("unknown")


def _name(label: Label, track_id: int) -> str:
    if label.state == "recognized":
        return label.subject
    return f"{'unknown' if label.state == 'unknown' else 'track'} {track_id}"


def _shown(moment: Moment) -> Iterator[tuple[Face | Person, Label]]:
    """The findings that have a place on the sheet."""
    if moment.people:
        yield from zip(moment.people, moment.people_labels, strict=True)
    else:
        yield from zip(moment.faces, moment.labels, strict=True)


def _worth(finding: Face | Person, frame: Frame) -> float:
    """How much a shot shows, in [0, 1]: the bound of a face's quality; of a body, how large and sure it is."""
    if isinstance(finding, Face):
        return quality_bound(finding)
    height = float(np.ptp(np.clip(finding.box[1::2], 0, frame.image.shape[0]))) / frame.image.shape[0]
    return finding.score * height**0.5


def _cut(frame: Frame, finding: Face | Person) -> Image:
    """The finding with some of what is around it."""
    height, width = frame.image.shape[:2]
    scale = 1.5 if isinstance(finding, Face) else 1.1
    left, top, right, bottom = square_box(finding.box, scale).round().astype(int).tolist()
    cut = frame.image[max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
    if cut.size == 0:
        return np.zeros((1, 1, 3), np.uint8)
    side = max(cut.shape[:2])
    if side > _TILE:
        size = (max(1, cut.shape[1] * _TILE // side), max(1, cut.shape[0] * _TILE // side))
        return cv2.resize(cut, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cut.copy()


def _widened(image: Image, width: int) -> Image:
    missing = width - image.shape[1]
    return image if not missing else np.pad(image, ((0, 0), (0, missing), (0, 0)), mode="edge")
