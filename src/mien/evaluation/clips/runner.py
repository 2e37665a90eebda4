"""Recognition in video, measured: a clip composed from a folder of pictures, watched, and compared with its truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from mien.errors import BadInputError
from mien.evaluation.clips.composition import Actor, compose
from mien.evaluation.clips.figures import ClipFigures, Sighting, clip_figures
from mien.media.image import find_pictures
from mien.records import Float32, Frame

Watch = Callable[[Iterator[Frame], Mapping[str, Path]], Iterable[Sighting]]
"""Takes the frames of one clip and the pictures to enroll (subject -> file); gives what it saw."""

_PICTURES_A_STAY = 3


def evaluate_clips(
    images_folder: Path,
    watch: Watch,
    *,
    most: int | None = None,
    seconds: float = 4.0,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> ClipFigures:
    """Compose one long clip of everybody in a folder, let `watch` see it, and compare.

    Frames are made one by one while `watch` asks for them; nothing is stored, and memory does not grow with length.

    Args:
        images_folder: a sub-folder a subject, as in LFW deep-funneled (250x250 pixels, face in the middle).
        watch: the watcher; it must see every frame, and number sightings by the index of the frame.
        most: at most so many enrolled stays and so many strangers' stays, drawn by `seed`; None takes all. The
            gallery is the whole one in any case.
        seconds: mean length of a stay.
        seed: of the order, the drawing of `most`, and the clip.
        progress: called with the number of frames after each.

    Raises:
        BadInputError: the folder has no subject with two pictures.
    """
    gallery, enrolled, strangers = cast(images_folder)
    generator = np.random.default_rng(seed)
    actors = [group[at] for group in (enrolled, strangers) for at in generator.permutation(len(group))[:most]]
    actors = [actors[at] for at in generator.permutation(len(actors))]
    truth: dict[int, dict[int, Float32]] = {}

    def frames() -> Iterator[Frame]:
        for frame in compose(actors, seconds=seconds, seed=seed):
            truth[frame.index] = frame.boxes
            yield Frame(frame.image, frame.index, frame.time)
            if progress is not None:
                progress(frame.index + 1)

    sightings = list(watch(frames(), gallery))
    return clip_figures(actors, truth, sightings)


def cast(images_folder: Path) -> tuple[dict[str, Path], list[Actor], list[Actor]]:
    """Who plays: the gallery, the stays of its subjects, and those of strangers.

    A subject with two pictures or more is enrolled with its first one, and shown with the others, three a stay;
    people with a single picture are the strangers.

    Raises:
        BadInputError: `file_missing`, or `no_subjects` where no sub-folder holds two pictures.
    """
    if not images_folder.is_dir():
        raise BadInputError(f"{images_folder}: no such folder; check the path", code="file_missing")
    gallery: dict[str, Path] = {}
    enrolled, strangers = [], []
    for folder in sorted(entry for entry in images_folder.iterdir() if entry.is_dir()):
        pictures = find_pictures(folder)
        if len(pictures) == 1:
            strangers.append(Actor(folder.name, pictures, enrolled=False))
        elif pictures:
            gallery[folder.name], *others = pictures
            enrolled += [
                Actor(folder.name, others[start : start + _PICTURES_A_STAY], enrolled=True)
                for start in range(0, len(others), _PICTURES_A_STAY)
            ]
    if not gallery:
        raise BadInputError(
            f"{images_folder} has no sub-folder with two pictures or more; give a folder with a sub-folder a subject",
            code="no_subjects",
        )
    return gallery, enrolled, strangers
