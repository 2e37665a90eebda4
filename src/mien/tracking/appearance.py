"""Follows people by motion, and by their looks where motion leaves a doubt.

A `Tracker` follows boxes by motion alone; what it follows is called a tracklet here, and each tracklet is given a
person. Looks (embeddings) are asked for only from clear shots, which show one person and not two: when a tracklet
begins, when tracklets that touched are apart again, and every few seconds so that a person's look is up to date.
Tracklets that touched are then assigned anew to the people they may show, those who are lost among them, by a cost
that fuses look and motion; a new tracklet may be somebody who was lost. So an identity survives an occlusion, and a
mistake that motion made in it is put right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from mien.geometry import box_area
from mien.tracking.assignment import Indices
from mien.tracking.camera_motion import moved_boxes
from mien.tracking.reassignment import near, reassign
from mien.tracking.tracker import Tracker, Update
from mien.tracking.tracklets import Float64, Known, Tracklet, confuse

Embed = Callable[[Indices], NDArray[np.float32]]
"""Indices `(K,)` of detections of this frame in, their looks `(K, D)`, L2-normalized, out."""

_TOUCH = 0.15
"""Share of a box inside another one from which they may be confused."""
_CLEAR = 0.1
"""Share of a box inside another one up to which it is a clear shot."""
_WHOLE = 0.9
"""Share of a box inside the picture from which it is a clear shot."""
_BORDER = 0.02
"""Of the picture: a box that is closer to the border may be of somebody who leaves."""
_AGAIN_SECONDS = 6.0
"""After so long a person's look is brought up to date."""
_WAIT_SECONDS = 0.4
"""For so long a new tracklet close to where somebody was lost waits for a clear shot before it becomes a new person."""
_UNSEEN_SECONDS = 0.2
"""After so long without a detection it may be somebody else with whom a tracklet goes on."""
_DOUBT_SECONDS = 3.0
"""So long after its clear shot a tracklet waits for those of the others that it was confused with."""
_MOST = 8
"""Looks asked for in one frame at most; a crowd is learnt over several frames."""


class AppearanceTracker:
    """Follows the people of one stream; same rules as a `Tracker`.

    Args:
        tracker: follows the boxes; nobody else may use it.
        frame_rate: frames a second, > 0.
        keep_seconds: how long >= 0 a lost person can be found again by looks. Who was lost at the border of the
            picture has left it and is kept for `leave_seconds` only.
        leave_seconds: see there.
        ids: where track ids > 0 come from; None counts from 1.

    Attributes:
        extractions: looks that were asked for so far.
        looks: of those who ended at the last `update` or at `finish`: the sum of their clear shots, float64 `(D,)`, and
            how many they were; nobody is in it who was never seen clearly.

    Example:
        >>> follow = AppearanceTracker(Tracker(confirm=1), frame_rate=25)
        >>> box, look = np.float32([[40, 20, 60, 80]]), np.eye(1, 8, dtype=np.float32)
        >>> follow.update(box, np.float32([0.9]), lambda places: look[places], size=(100, 100)).track_ids.tolist()
        [1]
    """

    def __init__(
        self,
        tracker: Tracker,
        *,
        frame_rate: float,
        keep_seconds: float = 15.0,
        leave_seconds: float = 2.0,
        ids: Iterator[int] | None = None,
    ) -> None:
        self._tracker, self._rate = tracker, frame_rate
        self._keep, self._leave = round(keep_seconds * frame_rate), round(leave_seconds * frame_rate)
        self._again, self._wait = round(_AGAIN_SECONDS * frame_rate), round(_WAIT_SECONDS * frame_rate)
        self._unseen = round(_UNSEEN_SECONDS * frame_rate)
        self._doubt = round(_DOUBT_SECONDS * frame_rate)
        self._ids = ids or count(1)
        self._now = 0
        self._tracklets: dict[int, Tracklet] = {}
        self._people: dict[int, Known] = {}
        self.extractions = 0
        self.looks: dict[int, tuple[Float64, int]] = {}

    def update(
        self,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        embed: Embed,
        *,
        size: tuple[int, int],
        steps: int = 1,
        motion: Float64 | None = None,
    ) -> Update:
        """Takes the detections of the next frame.

        Args:
            boxes, scores, steps, motion: as `Tracker.update` takes them.
            embed: called at most once, only where looks are needed.
            size: width and height of the frame in pixels.

        Returns:
            The person of each detection; `ended` are people who were given up.

        Raises:
            UsageError: as `Tracker.update`.
        """
        update = self._tracker.update(boxes, scores, steps=steps, motion=motion)
        self._now += steps
        if motion is not None:
            for known in self._people.values():
                known.box = moved_boxes(known.box[None], motion)[0]
        for number in update.ended:
            tracklet = self._tracklets.pop(number)
            tracklet.show(None)
            tracklet.leave()
        places = {number: place for place, number in enumerate(update.track_ids.tolist()) if number > 0}
        for number in places:
            if number not in self._tracklets:
                self._tracklets[number] = Tracklet(number, self._now)
            tracklet = self._tracklets[number]
            if tracklet.person is not None and self._now - tracklet.person.seen > self._unseen + steps:
                tracklet.doubt()
        if places:
            found = np.asarray(boxes, np.float64)
            self._look(places, self._meet(places, found, scores >= self._tracker.high, size), embed)
            self._decide(places, found, size)
        track_ids = [-1] * len(boxes)
        for number, place in places.items():
            person = self._tracklets[number].person
            track_ids[place] = -1 if person is None else person.number
        return Update(np.array(track_ids, np.int64), self._given_up())

    def finish(self) -> tuple[int, ...]:
        """Ends all tracks; returns their ids, ascending. Ids go on counting from there."""
        self._tracker.finish()
        ended = tuple(sorted(self._people))
        self.looks = _looks(self._people.values())
        self._tracklets, self._people = {}, {}
        return ended

    def _meet(
        self, places: Mapping[int, int], boxes: Float64, sure: NDArray[np.bool_], size: tuple[int, int]
    ) -> set[int]:
        """Puts tracklets that touch in doubt; returns the numbers of those that are shown clearly."""
        numbers, where = self._tracker.positions()
        known = numbers.tolist()
        rows = {number: row for row, number in enumerate(known)}
        seen = np.array([rows[number] for number in places], np.intp)
        there = np.array(list(places.values()), np.intp)
        where[seen] = boxes[there]
        is_seen = np.zeros(len(rows), np.bool_)
        is_seen[seen] = True
        shares = _shares(where)
        touching = (shares > _TOUCH) & (is_seen[:, None] | is_seen)
        for row, column in zip(*(side.tolist() for side in np.nonzero(touching | touching.T)), strict=True):
            if row < column:
                confuse(self._tracklets[known[row]], self._tracklets[known[column]])
        shown = np.minimum(np.maximum(boxes[there], 0), [*size, *size])
        inside = box_area(shown) / np.maximum(box_area(boxes[there]), 1e-9)
        clear = sure[there] & (shares[seen].max(1) <= _CLEAR) & (inside >= _WHOLE)
        return {number for number, is_clear in zip(places, clear.tolist(), strict=True) if is_clear}

    def _look(self, places: Mapping[int, int], clear: set[int], embed: Embed) -> None:
        """Asks for the looks that are needed most: of new tracklets, of those in doubt, of people not seen for long."""
        wanted = []
        for number in clear:
            tracklet = self._tracklets[number]
            person = tracklet.person
            if person is None or tracklet.group is not None:
                if tracklet.fresh is None:
                    wanted.append((0 if person is None else 1, 0, number))
            elif person.look is None or self._now - person.learnt >= self._again:
                wanted.append((2, person.learnt, number))
        chosen = [number for _, _, number in sorted(wanted)[:_MOST]]
        if not chosen:
            return
        self.extractions += len(chosen)
        for number, look in zip(chosen, embed(np.array([places[number] for number in chosen])), strict=True):
            tracklet = self._tracklets[number]
            if tracklet.person is not None and tracklet.group is None:
                tracklet.person.learn(look.astype(np.float64), self._now)
            else:
                tracklet.fresh, tracklet.clear_since = look.astype(np.float64), self._now

    def _decide(self, places: Mapping[int, int], boxes: Float64, size: tuple[int, int]) -> None:
        """Whom each tracklet that is seen shows from now on."""
        seen = [self._tracklets[number] for number in sorted(places)]
        rows = list(boxes)  # all views at once: one by one they cost more than the rest here
        for tracklet in seen:
            if tracklet.person is not None:
                tracklet.person.box, tracklet.person.seen = rows[places[tracklet.number]], self._now
        due = [tracklet for tracklet in seen if tracklet.fresh is not None]
        if any(tracklet.clear_since == self._now for tracklet in due):
            self._exchange(due, boxes[[places[tracklet.number] for tracklet in due]])
        for tracklet in seen:
            if tracklet.person is None and self._is_new(tracklet, rows[places[tracklet.number]]):
                self._begin(tracklet)
        shown = {id(tracklet) for tracklet in seen if tracklet.fresh is None}
        for tracklet in due:
            others = () if tracklet.group is None else tracklet.group.tracklets
            is_late = self._now - tracklet.clear_since >= self._doubt
            if is_late or not any(id(other) in shown for other in others):
                self._settle(tracklet)
        border = np.array(size) * _BORDER
        sides = np.concatenate([boxes[:, :2] > border, boxes[:, 2:] < size - border], axis=1)
        inside = np.logical_and.reduce(sides, axis=1).tolist()
        for tracklet in seen:
            if tracklet.person is not None:
                place = places[tracklet.number]
                tracklet.person.box, tracklet.person.seen = rows[place], self._now
                tracklet.person.is_inside = inside[place]

    def _exchange(self, due: Sequence[Tracklet], boxes: Float64) -> None:
        """Assigns the tracklets that have a fresh look, with boxes `(R, 4)`, anew."""
        own = {tracklet.person.number for tracklet in due if tracklet.person is not None}
        people = [
            person
            for person in self._people.values()
            if person.number in own or (person.seen < self._now and person.look is not None)
        ]
        before = [tracklet.person for tracklet in due]
        after = reassign(due, boxes, people, self._now, self._rate)
        hidden = [None if person is None else person.tracklet for person in after]
        for tracklet in due:
            tracklet.show(None)
        for tracklet, person in zip(due, after, strict=True):
            if person is not None:
                tracklet.show(person)
        # Whom motion took for the one who was found is where that one was believed to be: out of sight.
        for person, out_of_sight in zip(before, hidden, strict=True):
            if person is not None and person.tracklet is None and out_of_sight and out_of_sight not in due:
                out_of_sight.show(person)

    def _is_new(self, tracklet: Tracklet, box: Float64) -> bool:
        """Whether a tracklet that shows nobody is somebody new, as far as can be told by now."""
        if tracklet.fresh is not None or self._now - tracklet.began >= self._wait:
            return True
        lost = [one for one in self._people.values() if one.seen < self._now and one.look is not None]
        return not lost or not near(box[None], lost, self._now, self._rate).any()

    def _begin(self, tracklet: Tracklet) -> None:
        person = Known(next(self._ids), np.zeros(4), self._now)
        self._people[person.number] = person
        tracklet.show(person)
        if tracklet.group is not None:
            tracklet.group.people.add(person.number)

    def _settle(self, tracklet: Tracklet) -> None:
        if tracklet.person is not None and tracklet.fresh is not None:
            tracklet.person.learn(tracklet.fresh, self._now)
        tracklet.leave()

    def _given_up(self) -> tuple[int, ...]:
        """People who are lost for too long, or who cannot be found again since they were never seen clearly."""
        given_up = []
        for person in list(self._people.values()):
            if person.tracklet is None:
                kept = 0 if person.look is None else self._keep if person.is_inside else self._leave
                if self._now - person.seen > kept:
                    given_up.append(person)
                    del self._people[person.number]
        self.looks = _looks(given_up)
        return tuple(person.number for person in given_up)


def _looks(people: Iterable[Known]) -> dict[int, tuple[Float64, int]]:
    return {person.number: (person.total, person.shots) for person in people if person.total is not None}


def _shares(boxes: Float64) -> Float64:
    """The share of each of the boxes `(T, 4)` that lies in each other one, `(T, T)`; 0 for itself."""
    left, top, right, bottom = boxes.T
    wide = np.minimum(right[:, None], right) - np.maximum(left[:, None], left)
    tall = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    shares = np.maximum(wide, 0) * np.maximum(tall, 0) / np.maximum(box_area(boxes), 1e-9)[:, None]
    np.fill_diagonal(shares, 0)
    return shares
