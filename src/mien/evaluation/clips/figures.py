"""How well a watcher did on a clip with known truth: who was named, who was named wrongly, and at what cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mien.evaluation.clips.composition import Actor
from mien.geometry import iou_matrix
from mien.records import Float32

OVERLAP = 0.3
"""IoU from which a watcher's box is that face: the truth of composed clips holds to some pixels only."""
NAMED_FRAMES = 3
"""Frames with the same name from which a stay counts as named; where two faces cross, one frame says little."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """What a watcher says about one face in one frame.

    Attributes:
        frame: index of the frame.
        track_id: of the track that the face belongs to.
        box: `xyxy` float32 `(4,)`, pixels.
        subject: the subject that the track is recognized as by now; None where it is unknown or undecided.
        extractions: features that were extracted for the track so far.
    """

    frame: int
    track_id: int
    box: Float32
    subject: str | None
    extractions: int = 0


@dataclass(frozen=True, slots=True)
class ClipFigures:
    """The figures of a clip; a stay is one actor's way through it, and what the rates are of.

    Attributes:
        enrolled_stays, stranger_stays: of actors that are, and are not, in the gallery.
        recognized: enrolled stays that were named rightly.
        misnamed: enrolled stays that were (also) named as somebody else.
        false_recognitions: stranger stays that were named as anybody.
        unseen: stays that no track ever met.
        recall, misnamed_rate, false_recognition_rate: the counts over their stays; None where there are none.
        tracks_per_stay: mean over the stays that were seen; 1 is best.
        extractions_per_track, most_extractions: mean and maximum over tracks on a face.
        empty_tracks: tracks that never met a face; `empty_recognitions` of them have a name.
        frames_to_name: median number of frames from a face's first one to its right name; None without any.
    """

    enrolled_stays: int
    stranger_stays: int
    recognized: int
    misnamed: int
    false_recognitions: int
    unseen: int
    recall: float | None
    misnamed_rate: float | None
    false_recognition_rate: float | None
    tracks_per_stay: float | None
    extractions_per_track: float | None
    most_extractions: int
    empty_tracks: int
    empty_recognitions: int
    frames_to_name: float | None

    def to_dict(self) -> dict[str, Any]:
        """The figures as a JSON object."""
        return asdict(self)


def clip_figures(
    actors: Sequence[Actor], truth: Mapping[int, Mapping[int, Float32]], sightings: Iterable[Sighting]
) -> ClipFigures:
    """Compare what a watcher saw with what was there.

    Args:
        actors: of the clip; those that no frame shows are left out of the figures.
        truth: frame index -> position in `actors` -> face box.
        sightings: of all frames, in any order.
    """
    frames: dict[int, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        frames[sighting.frame].append(sighting)
    first = {actor: frame for frame in sorted(truth, reverse=True) for actor in truth[frame]}
    names: dict[int, Counter[str]] = defaultdict(Counter)
    tracks: dict[int, set[int]] = defaultdict(set)
    named_at: dict[int, int] = {}
    for frame in sorted(frames):
        for actor, sighting in _meetings(truth.get(frame, {}), frames[frame]):
            tracks[actor].add(sighting.track_id)
            if sighting.subject is not None:
                names[actor][sighting.subject] += 1
                if sighting.subject == actors[actor].name:
                    named_at.setdefault(actor, frame)
    extractions: dict[int, int] = defaultdict(int)
    for sighting in (entry for found in frames.values() for entry in found):
        extractions[sighting.track_id] = max(extractions[sighting.track_id], sighting.extractions)
    named_tracks = {entry.track_id for found in frames.values() for entry in found if entry.subject is not None}
    met = set().union(*tracks.values())
    said = {actor: {name for name, count in names[actor].items() if count >= NAMED_FRAMES} for actor in first}
    enrolled = [actor for actor in first if actors[actor].enrolled]
    strangers = [actor for actor in first if not actors[actor].enrolled]
    recognized = [actor for actor in enrolled if actors[actor].name in said[actor]]
    misnamed = sum(bool(said[actor] - {actors[actor].name}) for actor in enrolled)
    false = sum(bool(said[actor]) for actor in strangers)
    return ClipFigures(
        enrolled_stays=len(enrolled),
        stranger_stays=len(strangers),
        recognized=len(recognized),
        misnamed=misnamed,
        false_recognitions=false,
        unseen=sum(not tracks[actor] for actor in first),
        recall=len(recognized) / len(enrolled) if enrolled else None,
        misnamed_rate=misnamed / len(enrolled) if enrolled else None,
        false_recognition_rate=false / len(strangers) if strangers else None,
        tracks_per_stay=_mean([len(tracks[actor]) for actor in first if tracks[actor]]),
        extractions_per_track=_mean([extractions[track] for track in sorted(met)]),
        most_extractions=max((extractions[track] for track in met), default=0),
        empty_tracks=len(extractions.keys() - met),
        empty_recognitions=len(named_tracks - met),
        frames_to_name=(
            float(np.median([named_at[actor] - first[actor] for actor in recognized])) if recognized else None
        ),
    )


def _meetings(boxes: Mapping[int, Float32], found: Sequence[Sighting]) -> list[tuple[int, Sighting]]:
    """Pairs of actor and sighting in one frame, best overlap first, each at most once."""
    if not boxes or not found:
        return []
    actors = list(boxes)
    overlap = iou_matrix(np.stack([boxes[actor] for actor in actors]), np.stack([entry.box for entry in found]))
    pairs = []
    while overlap.max() >= OVERLAP:
        row, column = divmod(int(overlap.argmax()), len(found))
        pairs.append((actors[row], found[column]))
        overlap[row], overlap[:, column] = -1.0, -1.0
    return pairs


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
