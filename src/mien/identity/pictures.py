"""From pictures to templates: which face of a picture is meant, and enrolling many pictures with progress."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import BadInputError
from mien.face.analyzer import FaceAnalyzer
from mien.media.image import find_pictures, load
from mien.records import Template

if TYPE_CHECKING:
    from mien.identity.collection import Collection


@dataclass(frozen=True, slots=True)
class Probe:
    """A template from a picture, and how many faces the picture shows; the largest was taken."""

    template: Template
    faces: int


@dataclass(slots=True)
class Enrollment:
    """What became of a number of pictures.

    Attributes:
        enrolled: pictures that are new in the collection.
        known: pictures that were in it already.
        failed: the others, each with its reason.
    """

    enrolled: int = 0
    known: int = 0
    failed: list[tuple[Path, BadInputError]] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        """How many pictures there were."""
        return self.enrolled + self.known + len(self.failed)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        failed = [{"picture": str(path), "code": error.code, "reason": str(error)} for path, error in self.failed]
        return {"enrolled": self.enrolled, "known": self.known, "failed": failed}


@lru_cache(maxsize=4)
def analyzer(model: str | None) -> FaceAnalyzer:
    """The analyzer that makes templates of this embedder, loaded once; None is the pack's."""
    return FaceAnalyzer(embedder=model)


def probe(picture: Any, model: str | None, *, bgr: bool = False) -> Probe:
    """The template of a picture's largest face.

    Args:
        picture: path, bytes, PIL picture, or uint8 array `(H, W, 3)`.
        model: the embedder; None is the pack's.
        bgr: an array is in OpenCV's order of channels.

    Raises:
        BadInputError: the picture cannot be read, or `face_missing`.
    """
    faces = analyzer(model)(picture, bgr=bgr)
    if not faces:
        raise _no_face(_shown(picture))
    template = faces[0].template
    assert template is not None
    return Probe(template, len(faces))


def enrollment_template(picture: Any, model: str | None, *, largest: bool = False) -> Template:
    """The template of a picture with exactly one face, or with `largest` of its largest one.

    Raises:
        BadInputError: the picture cannot be read, `face_missing`, or `faces_several`.
    """
    taken = probe(picture, model)
    if taken.faces > 1 and not largest:
        raise BadInputError(
            f"{_shown(picture)} shows {taken.faces} faces, and which one is meant is not known; cut it to one face, "
            "or take the largest with --largest (largest=True)",
            code="faces_several",
        )
    return taken.template


def source_digest(picture: Any) -> bytes:
    """32 bytes that tell the picture apart from others: the sha256 of its file, or of its pixels."""
    if isinstance(picture, str | Path):
        return hashlib.sha256(Path(picture).read_bytes()).digest()
    if isinstance(picture, bytes):
        return hashlib.sha256(picture).digest()
    image = load(picture)
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()


def folder_subjects(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each sub-folder, its name being the subject's.

    Raises:
        BadInputError: `folder_without_subjects`, or the folder cannot be read.
    """
    if not folder.is_dir():
        raise BadInputError(f"{folder} is no folder; give one with a sub-folder for each subject", code="file_missing")
    people = {
        path.name: find_pictures(path, recursive=True)
        for path in sorted(folder.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }
    if not any(people.values()):
        raise BadInputError(
            f"{folder} has no sub-folder with pictures; enrolling a folder takes one sub-folder a subject, named for "
            "the subject",
            code="folder_without_subjects",
        )
    return {name: pictures for name, pictures in people.items() if pictures}


def enroll_pictures(
    collection: Collection,
    people: Mapping[str, Iterable[Path]],
    *,
    model: str | None = None,
    largest: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Enrollment:
    """Enroll people from picture files; one bad picture does not stop the others.

    Each subject's pictures are written as they are done, so that an interrupted run loses at most the pictures that
    it was working on, and doing it again enrolls only what is missing.

    Args:
        collection: where to.
        people: subject -> pictures.
        model: embedder of a new collection; None is the pack's.
        largest: take the largest face of a picture with several.
        progress: called with pictures done and pictures in all.
    """
    result = Enrollment()
    work = [(subject, path) for subject, paths in people.items() for path in paths]
    model = model or existing_model(collection)
    before = {subject: set(_face_ids(collection, subject)) for subject in people}
    for done, (subject, path) in enumerate(work):
        progress(done, len(work))
        try:
            digest = source_digest(path)
            template = enrollment_template(path, model, largest=largest)
            name = analyzer(model).embedder.name
            (face_id,) = collection.enroll_templates(subject, [template], model=name, sources=[digest])
        except BadInputError as error:
            result.failed.append((path, error))
            continue
        except OSError as error:
            result.failed.append((path, BadInputError(f"{path}: {error.strerror}", code="file_unreadable")))
            continue
        if face_id in before[subject]:
            result.known += 1
        else:
            result.enrolled += 1
            before[subject].add(face_id)
    progress(len(work), len(work))
    return result


def existing_model(collection: Collection) -> str | None:
    """The embedder that a collection is bound to; None where it is not there yet or still open."""
    try:
        return collection.model
    except BadInputError as error:
        if error.code == "collection_missing":
            return None
        raise


def _face_ids(collection: Collection, subject: str) -> list[str]:
    try:
        return [face.face_id for face in collection.faces(subject)]
    except BadInputError as error:
        if error.code in ("collection_missing", "subject_missing"):
            return []
        raise


def _no_face(name: str) -> BadInputError:
    return BadInputError(
        f"no face was found on {name}; take a picture on which the face is at least 20 pixels wide and turned to the "
        "camera",
        code="face_missing",
    )


def _shown(picture: Any) -> str:
    return str(picture) if isinstance(picture, str | Path) else "the picture"
