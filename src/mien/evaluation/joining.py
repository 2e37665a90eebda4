"""Are faces joined to the right bodies? Counted over the frames of a clip whose truth is known.

For composed clips, in which only heads are shown, the bodies are made up: boxes below the true faces, as wide and high
as those of people who stand, with the noise of a detector, who miss some and cannot tell two bodies that are one
behind the other. The faces are detected in the pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluation.clips.composition import ClipFrame, compose
from mien.evaluation.clips.runner import cast
from mien.face.detector import FaceDetector
from mien.geometry import iou_matrix, suppress
from mien.records import Face, Float32, Frame, Person
from mien.scene.face_tracks import FaceTracks
from mien.scene.joining import Joiner
from mien.tracking.tracker import Tracker

WhoFace = Callable[[int, Face], int | None]
WhoBody = Callable[[int, Person], int | None]
"""Frame index and finding in, the person's number in the truth out; None where the truth does not say."""

_MISSED, _MOVED, _OVERLAP = 0.1, 0.04, 0.45
"""Of made-up bodies: share that is not found, noise of each side in widths, IoU from which the hinder one is lost."""


@dataclass(slots=True)
class JoiningFigures:
    """Faces of tracks, counted in every frame in which the truth knows them.

    Attributes:
        faces: those whose body was seen in the same frame: they could be joined.
        joined: of these, joined to any body.
        right, wrong: of those joined, whose body is that of the same person, or of another.
    """

    faces: int = 0
    joined: int = 0
    right: int = 0
    wrong: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The counts, `right_rate` (of those joined) and `joined_rate` (of the faces); None where nothing counts."""
        return {
            "faces": self.faces,
            "joined": self.joined,
            "right": self.right,
            "wrong": self.wrong,
            "right_rate": self.right / self.joined if self.joined else None,
            "joined_rate": self.joined / self.faces if self.faces else None,
        }


def joining_figures(
    frames: Iterable[tuple[Frame, Sequence[Face], Sequence[Person]]],
    who_face: WhoFace,
    who_body: WhoBody,
    *,
    frame_rate: float,
) -> JoiningFigures:
    """Follows and joins the findings of a clip as a watcher does, bodies by motion alone, and counts.

    Args:
        frames: each with its faces and bodies as detected.
        who_face, who_body: the truth.
        frame_rate: frames a second.
    """
    ids, figures, joiner = count(1), JoiningFigures(), Joiner()
    faces_followed = FaceTracks(frame_rate, ids, None)
    bodies_followed = Tracker(frame_rate=frame_rate, low=0.1, high=0.6, new=0.8, ids=ids)
    shown_by: dict[int, int] = {}
    for frame, faces, bodies in frames:
        seen = faces_followed.update(frame, faces, 1)
        boxes = np.array([body.box for body in bodies], np.float32).reshape(-1, 4)
        update = bodies_followed.update(boxes, np.array([body.score for body in bodies], np.float32))
        joiner.end([*(one.track_id for one in seen.ended), *update.ended])
        tracked = np.flatnonzero(update.track_ids > 0)
        present = set()
        for place in tracked.tolist():
            who = who_body(frame.index, bodies[place])
            if who is not None:
                shown_by[int(update.track_ids[place])] = who
                present.add(who)
        face_boxes = np.array([face.box for face in seen.faces], np.float32).reshape(-1, 4)
        face_ids = [face.track_id or 0 for face in seen.faces]
        joiner.update(face_ids, face_boxes, update.track_ids[tracked].tolist(), boxes[tracked])
        for face in seen.faces:
            who, body = who_face(frame.index, face), joiner.body_of(face.track_id or 0)
            if who in present:
                figures.faces += 1
                figures.joined += body is not None
                figures.right += body is not None and shown_by.get(body) == who
                figures.wrong += body is not None and shown_by.get(body) != who
    return figures


def evaluate(
    images: Path,
    *,
    most: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Composes a clip of the people in a folder, as `mien evaluate clips` does, and joins their faces to bodies.

    Args:
        images: a sub-folder a subject, pictures as in LFW deep-funneled (250x250 pixels, face in the middle).
        most: at most so many stays of subjects with several pictures and so many of others; None takes all.
        seed: of their order and the clip.
        progress: called with the frames done, twice.

    Raises:
        BadInputError: `file_missing`, `no_subjects`.
    """
    _, several, single = cast(images)
    generator = np.random.default_rng(seed)
    actors = [group[at] for group in (several, single) for at in generator.permutation(len(group))[:most]]
    detector = FaceDetector(long_side=640, score=0.3)
    faces: Mapping[int, Float32] = {}
    bodies: Mapping[int, Person] = {}

    def looked() -> Iterator[tuple[Frame, Sequence[Face], Sequence[Person]]]:
        nonlocal faces, bodies
        for frame in compose(actors, seconds=4.0, seed=seed):
            faces, bodies = frame.boxes, made_up_bodies(frame, generator)
            progress(frame.index + 1, frame.index + 1)
            yield Frame(frame.image, frame.index, frame.time), detector(frame.image), list(bodies.values())

    figures = joining_figures(
        looked(),
        lambda index, face: nearest_truth(faces, face.box),
        lambda index, body: next(actor for actor, other in bodies.items() if other is body),
        frame_rate=25.0,
    )
    return figures.to_dict()


def made_up_bodies(frame: ClipFrame, generator: np.random.Generator) -> dict[int, Person]:
    """Bodies for the faces of a composed frame: actor -> body, those left out that a detector would not find.

    Everybody has a width of their own, 2 to 3 face widths, and is 6.5 faces high, cut off by the picture's border.
    """
    height, width = frame.image.shape[:2]
    bodies: dict[int, Person] = {}
    for actor, face in frame.boxes.items():
        face_width, face_height = (face[2:] - face[:2]).tolist()
        half = face_width * (1 + 0.5 * (actor * 0.618 % 1))
        middle, top = float(face[0] + face[2]) / 2, float(face[1]) - 0.25 * face_height
        box = np.array([middle - half, top, middle + half, top + 6.5 * face_height])
        box = np.clip(box + generator.normal(0, _MOVED * 2 * half, 4), 0, [width, height] * 2)
        if generator.random() >= _MISSED:
            bodies[actor] = Person(box.astype(np.float32), 0.9)
    # Who is pasted later is in front.
    order = list(bodies)[::-1]
    boxes = np.array([bodies[actor].box for actor in order], np.float32).reshape(-1, 4)
    kept = suppress(boxes, np.arange(len(order), 0, -1), _OVERLAP)
    return {order[place]: bodies[order[place]] for place in sorted(kept.tolist())}


def nearest_truth(truth: Mapping[int, Float32], box: Float32, least: float = 0.3) -> int | None:
    """Whose true box `(4,)` a detected one overlaps most, with IoU >= `least`; None where nobody's."""
    if not truth:
        return None
    overlap = iou_matrix(box[None], np.stack(list(truth.values())))[0]
    return list(truth)[int(overlap.argmax())] if overlap.max() >= least else None
