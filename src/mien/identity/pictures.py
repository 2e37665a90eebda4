"""From pictures to templates: which face of a picture is meant, and enrolling many pictures with progress."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.errors import BadInputError
from mien.face.analyzer import FaceAnalyzer
from mien.face.embedder import embedder_identity
from mien.identity.names import proper_name
from mien.media.files import check_file, natural_key, shown, unreadable
from mien.media.image import find_pictures, load
from mien.records import Template

if TYPE_CHECKING:
    from mien.identity.template_collection import TemplateCollection

_log = logging.getLogger("mien.identity.pictures")
_SUFFIXES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".heic", ".heif", ".avif"))
"""A file so named is meant as a picture: where it is none that can be read, its owner wants to know."""


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
        return {"enrolled": self.enrolled, "known": self.known, "failed": failures(self.failed)}


def failures(failed: Iterable[tuple[Path, BadInputError]]) -> list[dict[str, str]]:
    """Pictures that could not be used, as JSON."""
    return [{"picture": str(path), "code": error.code, "reason": str(error)} for path, error in failed]


def analyzer(model: str | None) -> FaceAnalyzer:
    """The analyzer that makes templates of this embedder, loaded once; None is the pack's."""
    return _analyzer(embedder_identity(model)[0])


@lru_cache(maxsize=4)
def _analyzer(embedder: str) -> FaceAnalyzer:
    return FaceAnalyzer(embedder=embedder)


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
        raise _no_face(_name(picture))
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
            f"{_name(picture)}: shows {taken.faces} faces, and which one is meant is not known; cut it to one face, or "
            "take the largest with --largest (largest=True)",
            code="faces_several",
        )
    return taken.template


def source_digest(picture: Any) -> bytes:
    """32 bytes that tell the picture apart from others: the sha256 of its file, or of its pixels.

    Raises:
        BadInputError: the file or the array cannot be read.
    """
    if isinstance(picture, str | Path):
        path, _ = check_file(picture)
        try:
            with path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").digest()
        except OSError as error:
            raise unreadable(path, error) from error
    if isinstance(picture, bytes):
        return hashlib.sha256(picture).digest()
    image = load(picture)
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()


def folder_pictures(folder: Path, *, recursive: bool = False) -> list[Path]:
    """The files of a folder that are pictures or are named like one, in natural order; never none.

    Args:
        folder: where to look; hidden files and folders are skipped.
        recursive: look into sub-folders too.

    Raises:
        BadInputError: `folder_without_pictures`, and those of `find_pictures`.
    """
    found = set(find_pictures(folder, recursive=recursive))
    for path in folder.rglob("*") if recursive else folder.iterdir():
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in _SUFFIXES and not is_hidden and path.is_file():
            found.add(path)
    if not found:
        raise BadInputError(
            f"{shown(folder)}: holds no picture; give a folder of JPEG, PNG, WebP, BMP or TIFF files",
            code="folder_without_pictures",
        )
    return sorted(found, key=natural_key)


def folder_subjects(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each sub-folder, its name being the subject's; sub-folders without any are left out.

    Raises:
        BadInputError: `file_missing`, `folder_expected`, `file_unreadable` or `folder_without_subjects`.
    """
    loose = find_pictures(folder)
    if loose:
        _log.warning("%s: %d pictures beside the sub-folders are nobody's and are left out", shown(folder), len(loose))
    people: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            try:
                people[path.name] = folder_pictures(path, recursive=True)
            except BadInputError as error:
                if error.code != "folder_without_pictures":
                    raise
    if not people:
        raise BadInputError(
            f"{shown(folder)}: has no sub-folder with pictures; enrolling a folder takes one sub-folder a subject, "
            "named for the subject",
            code="folder_without_subjects",
        )
    return people


def enroll_pictures(
    collection: TemplateCollection,
    people: Mapping[str, Iterable[Path]],
    *,
    model: str | None = None,
    largest: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Enrollment:
    """Enroll people from picture files; one bad picture does not stop the others.

    Each picture is on disk before the next one is begun, so that an interrupted run loses at most the one that it was
    working on, and doing it again enrolls only what is missing.

    Args:
        collection: where to.
        people: subject -> pictures.
        model: embedder of a new collection; None is the pack's.
        largest: take the largest face of a picture with several.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: `template_other_model`: the collection has another embedder; a `database_*`.
        UsageError: `model_unknown` or `model_wrong_task`.
    """
    result = Enrollment()
    work = [(subject, Path(path)) for subject, paths in people.items() for path in paths]
    model = _model_for(collection, model)
    for done, (subject, path) in enumerate(work):
        progress(done, len(work))
        try:
            proper_name(subject, "subject")
            digest = source_digest(path)
        except BadInputError as error:
            result.failed.append((path, _reason(path, error)))
            continue
        if collection.known_sources(subject, [digest]) != [None]:
            result.known += 1
            continue
        try:
            template = enrollment_template(path, model, largest=largest)
        except BadInputError as error:
            result.failed.append((path, _reason(path, error)))
            continue
        collection.enroll_templates(subject, [template], model=model, sources=[digest])
        result.enrolled += 1
    progress(len(work), len(work))
    return result


def enroll_sources(
    collection: TemplateCollection,
    subject: str,
    pictures: Sequence[Any],
    *,
    model: str | None = None,
    largest: bool = False,
) -> list[str]:
    """`Collection.enroll`: one subject's pictures, all or none."""
    model = _model_for(collection, model)
    templates = [enrollment_template(picture, model, largest=largest) for picture in pictures]
    digests = [source_digest(picture) for picture in pictures]
    return collection.enroll_templates(subject, templates, model=model, sources=digests)


def existing_model(collection: TemplateCollection) -> str | None:
    """The embedder that a collection is bound to; None where it is not there yet or still open."""
    try:
        return collection.model or None
    except BadInputError as error:
        if error.code == "collection_missing":
            return None
        raise


def _model_for(collection: TemplateCollection, asked: str | None) -> str:
    """The embedder to enroll with: the collection's, else the one that is asked for."""
    existing = existing_model(collection)
    name, _ = embedder_identity(asked or existing)
    if existing not in (None, name):
        raise BadInputError(
            f"the collection {collection.name!r} has templates of {existing}, not of {name}; leave the model out, or "
            "enroll into another collection",
            code="template_other_model",
        )
    return name


def _reason(path: Path, error: BadInputError) -> BadInputError:
    """Why a picture failed, with its name."""
    return error if shown(path) in str(error) else BadInputError(f"{shown(path)}: {error}", code=error.code)


def _no_face(name: str) -> BadInputError:
    return BadInputError(
        f"{name}: no face was found; take a picture on which the face is at least 20 pixels wide and turned to the "
        "camera",
        code="face_missing",
    )


def _name(picture: Any) -> str:
    return shown(picture) if isinstance(picture, str | Path) else "the picture"
