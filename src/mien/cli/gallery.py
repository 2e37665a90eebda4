"""`mien enroll`, `search`, `subjects` and `erase`: the embedded gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.output import Fpir, Json, note, print_json, print_table, progress

if TYPE_CHECKING:
    from mien.identity.gallery import Gallery

CollectionName = Annotated[str, typer.Argument(metavar="COLLECTION")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(enroll)
    app.command()(search)
    app.command()(subjects)
    app.command()(erase)


def enroll(
    collection: CollectionName,
    subject: Annotated[str | None, typer.Argument(metavar="SUBJECT", help="The person's name.")] = None,
    pictures: Annotated[list[Path] | None, typer.Argument(metavar="PICTURE...")] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Enroll a folder instead: one sub-folder a subject.")
    ] = None,
    largest: Annotated[bool, typer.Option("--largest", help="Take the largest face where there are several.")] = False,
    watch_list: Annotated[
        bool, typer.Option("--watch-list", help="Mark a new collection: recognizing its subjects raises alarms.")
    ] = False,
    model: Annotated[str | None, typer.Option(help="Embedder of a new collection.")] = None,
    json: Json = False,
) -> None:
    """Enroll people from pictures. Safe to repeat: a picture that is already enrolled is left alone."""
    from mien.errors import BadInputError, UsageError
    from mien.identity.gallery import Gallery
    from mien.identity.pictures import enroll_pictures, folder_subjects

    if (folder is None) == (subject is None):
        raise UsageError(
            "say whom to enroll: `mien enroll COLLECTION SUBJECT PICTURE...` or `mien enroll COLLECTION --folder DIR`",
            code="enroll_arguments",
        )
    if folder is None and not pictures:
        raise UsageError(f"no picture of {subject!r} was given", code="enroll_arguments")
    people = folder_subjects(folder) if folder is not None else {str(subject): list(pictures or [])}
    with Gallery.open() as store, progress("pictures") as report:
        if watch_list:
            _mark(store, collection, model)
        result = enroll_pictures(store[collection], people, model=model, largest=largest, progress=report)
    for _, error in result.failed:
        note(f"error [{error.code}]: {error}")
    if json:
        print_json(result.to_dict())
    else:
        print(
            f"{collection}: {result.enrolled} of {result.pictures} pictures enrolled, {result.known} were there "
            f"already, {len(result.failed)} failed"
        )
    if result.failed:
        raise BadInputError(
            f"{len(result.failed)} of {result.pictures} pictures were not enrolled; each is named above with its "
            "reason",
            code="pictures_failed",
        )


def _mark(store: Gallery, name: str, model: str | None) -> None:
    """Make the collection as a watch list; one that is there already must be one."""
    from mien.errors import UsageError
    from mien.face.embedder import embedder_identity
    from mien.identity.names import proper_name

    if proper_name(name, "collection") not in store.collections():
        embedder, fingerprint = embedder_identity(model)
        store.create(name, model=embedder, fingerprint=fingerprint, watch_list=True)
    elif not store[name].watch_list:
        raise UsageError(
            f"the collection {name!r} is there already and is no watch list; leave --watch-list out, or give another "
            "name",
            code="watch_list_late",
        )


def search(
    collection: CollectionName,
    picture: Annotated[Path, typer.Argument(metavar="PICTURE")],
    fpir: Fpir = 0.01,
    top: Annotated[int, typer.Option(min=1, max=1000, help="At most so many subjects.")] = 5,
    json: Json = False,
) -> None:
    """Who of a collection is on a picture?"""
    from mien.identity.gallery import Gallery
    from mien.identity.pictures import probe
    from mien.identity.search import embedder_of
    from mien.identity.search import search as search_collection

    with Gallery.open() as store:
        people = store[collection]
        model, _ = embedder_of(people)
        taken = probe(picture, model)
        if taken.faces > 1:
            note(f"warning: {picture} shows {taken.faces} faces; the largest was taken")
        found = search_collection(people, taken.template, fpir=fpir, top=top)
    if found.threshold.extrapolated:
        note(f"warning: the calibration data cannot measure an FPIR of {fpir:g} here; the threshold is extrapolated")
    if json:
        print_json(
            {
                "matches": [match.to_dict() for match in found.matches],
                "threshold": round(found.threshold.value, 6),
                "fpir": fpir,
                "model": model,
                "extrapolated": found.threshold.extrapolated,
                "faces": taken.faces,
            }
        )
        return
    if not found.matches:
        closest = "" if found.closest is None else f" (closest similarity {found.closest:.3f})"
        print(f"nobody of {collection} reaches {found.threshold.value:.3f}, the threshold at FPIR {fpir:g}{closest}")
        return
    rows = [[match.subject, match.similarity] for match in found.matches]
    print_table(f"threshold {found.threshold.value:.3f} at FPIR {fpir:g}", ["subject", "similarity"], rows)


def subjects(collection: CollectionName, json: Json = False) -> None:
    """Who is enrolled in a collection?"""
    from mien.identity.gallery import Gallery

    with Gallery.open() as store:
        records = store[collection].subjects()
    if json:
        print_json([{"subject": r.name, "faces": r.faces, "enrolled_at": r.enrolled_at.isoformat()} for r in records])
        return
    rows = [[r.name, r.faces, r.enrolled_at.isoformat(timespec="seconds")] for r in records]
    print_table(f"{collection}: {len(rows)} subjects", ["subject", "faces", "enrolled"], rows)


def erase(
    collection: CollectionName,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT")],
    json: Json = False,
) -> None:
    """Erase a person: templates, name and key, from every file of the store."""
    from mien.identity.gallery import Gallery

    with Gallery.open() as store:
        faces = store[collection].erase(subject)
    if json:
        print_json({"collection": collection, "erased": True, "faces": faces})
    else:
        print(f"erased from {collection}: 1 subject, {faces} faces")
