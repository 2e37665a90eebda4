"""The people of one video's frames, each described once it has gone: looks, clothes, thumbnails, the way it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from mien.archive.records import Shot, Track
from mien.archive.shots import BestShots, Seen, cut, jpeg, worths
from mien.geometry import iou_matrix
from mien.person.attributes import AttributeEstimator
from mien.person.embedder import PersonEmbedder
from mien.records import Float32, Frame, Person
from mien.scene.moment import Moment

_SHOTS = 3
"""Thumbnails that are kept of a track."""
_POINTS = 32
"""Most points of a path."""
_UNSEEN_SECONDS = 1.0
"""Who was not seen for longer comes again: the tracker may be wrong about who it is."""
_LONGEST_SECONDS = 15.0
"""After so long a new stretch begins, so that a place in it can be looked up, and a mix-up spoils one stretch only."""


class Describer:
    """Looks, attributes and colours of people; load once, use for many videos.

    Attributes:
        embedder: makes the looks.
    """

    def __init__(self) -> None:
        self.embedder = PersonEmbedder()
        self._attributes = AttributeEstimator()

    def __call__(self, moments: Iterable[Moment]) -> Iterator[Track]:
        """The stretches of a stream in which somebody is seen, each when it is over.

        Frames are needed only while their moment is looked at.
        """
        followed: dict[int, _Followed] = {}
        for moment in moments:
            if not moment.is_end:
                value = worths(moment.frame, moment.people)
                for person, worth in zip(moment.people, value.tolist(), strict=True):
                    track_id = person.track_id or 0
                    one = followed.get(track_id)
                    if one is not None and not one.goes_on(moment.frame.time, person):
                        yield self._described(track_id, one)
                        one = None
                    if one is None:
                        one = followed[track_id] = _Followed(moment.frame.time)
                    one.see(moment.frame, person, worth)
            for event in moment.events:
                if event.event == "left" and event.facts.get("kind") == "person":
                    gone = followed.pop(event.track_id or 0, None)
                    if gone is not None:
                        yield self._described(event.track_id or 0, gone)

    def _described(self, track_id: int, followed: _Followed) -> Track:
        seen = followed.shots.best_first()
        looks = self.embedder.vectors([one.image for one in seen])
        mean = _mean(looks, seen)
        # A shot that shows somebody else as well, or a sign in front, is unlike the others.
        order = np.argsort([-one.worth * max(float(look @ mean), 0.0) for one, look in zip(seen, looks, strict=True)])
        best = [seen[place] for place in order[:_SHOTS]]
        found = self._attributes.of_crops([one.image for one in best])
        names = found[0].probabilities
        return Track(
            track_id=track_id,
            began=followed.began,
            ended=followed.ended,
            frames=followed.frames,
            shots=[Shot(one.time, one.box, one.worth, jpeg(one.image)) for one in best],
            path=followed.path(),
            probabilities={name: float(np.mean([one.probabilities[name] for one in found])) for name in names},
            upper=_shares([one.upper_colour for one in found]),
            lower=_shares([one.lower_colour for one in found]),
            features=np.concatenate([mean[None], looks[order[:_SHOTS]]]),
        )


@dataclass(slots=True)
class _Followed:
    """A track that has not ended; of its points every `stride`-th frame's is kept."""

    began: float
    ended: float = 0.0
    frames: int = 0
    shots: BestShots = field(default_factory=BestShots)
    points: list[tuple[float, ...]] = field(default_factory=list)
    last: tuple[float, ...] = ()
    stride: int = 1

    def goes_on(self, time: float, person: Person) -> bool:
        """Whether a box continues this stretch; one that touches the last one nowhere was taken from somebody else."""
        overlap = iou_matrix(np.array([self.last[1:]]), person.box[None])[0, 0]
        unseen, long = time - self.ended, time - self.began
        return bool(overlap > 0) and unseen <= _UNSEEN_SECONDS and long < _LONGEST_SECONDS

    def see(self, frame: Frame, person: Person, worth: float) -> None:
        self.last = (frame.time, *person.box.tolist())
        if self.frames % self.stride == 0:
            self.points.append(self.last)
            if len(self.points) >= _POINTS:
                self.points, self.stride = self.points[::2], self.stride * 2
        self.ended, self.frames = frame.time, self.frames + 1
        if self.shots.wants(frame.time, worth):
            self.shots.add(Seen(frame.time, person.box, worth, cut(frame, person.box)))

    def path(self) -> Float32:
        points = self.points if self.points[-1] == self.last else [*self.points, self.last]
        return np.array(points, np.float32)


def _mean(looks: Float32, seen: Sequence[Seen]) -> Float32:
    """The looks `(K, D)` averaged by the shots' worth, L2-normalized `(D,)`."""
    weights = np.array([max(one.worth, 1e-3) for one in seen], np.float32)
    mean = weights @ looks
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


def _shares(names: Sequence[str | None]) -> dict[str, float]:
    counts = Counter(name for name in names if name is not None)
    return {name: count / len(names) for name, count in counts.items()}
