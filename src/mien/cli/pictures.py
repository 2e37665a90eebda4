"""`mien analyze`, `verify` and `cluster`: pictures without a gallery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.output import Json, check_picture_output, make_folder, note, print_json, print_table, progress

if TYPE_CHECKING:
    from mien.face.analyzer import Feature
    from mien.person.analyzer import Feature as PersonFeature

_FEATURES: tuple[Feature, ...] = ("pose", "age_gender", "quality", "mesh", "eyes")
_OF_PEOPLE: tuple[PersonFeature, ...] = ("attributes", "skeleton")
_USUAL = ("pose", "age_gender", "quality", "eyes", *_OF_PEOPLE)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(analyze)
    app.command()(verify)
    app.command()(cluster)


def analyze(
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...", help="Pictures, or folders of pictures.")],
    features: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="LIST",
            help=f"What to find out, of: {', '.join(_FEATURES)}; with --people also {', '.join(_OF_PEOPLE)}. "
            "Default: all but mesh.",
        ),
    ] = None,
    people: Annotated[bool, typer.Option("--people", help="Find people's bodies, too.")] = False,
    json: Json = False,
    draw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write each picture with what was found marked.")
    ] = None,
) -> None:
    """Find the faces of pictures, and with --people the bodies, and describe them."""
    from mien.drawing.annotate import draw_faces
    from mien.drawing.bodies import draw_people
    from mien.errors import BadInputError
    from mien.face.analyzer import FaceAnalyzer
    from mien.identity.pictures import folder_pictures
    from mien.media.image import read, write
    from mien.person.analyzer import PersonAnalyzer

    of_faces, of_people = _wanted(features, people)
    paths = [found for path in pictures for found in (folder_pictures(path) if path.is_dir() else [path])]
    analyzer = FaceAnalyzer(of_faces)
    body_analyzer = PersonAnalyzer(of_people) if people else None
    if draw is not None:
        make_folder(draw)
    failures = 0
    for number, path in enumerate(paths):
        try:
            image = read(path)
        except BadInputError as error:
            if len(paths) == 1:
                raise
            failures += 1
            note(f"error [{error.code}]: {error}")
            continue
        faces, milliseconds = analyzer.timed(image)
        bodies, more = body_analyzer.timed(image) if body_analyzer else ([], {})
        if draw is not None:
            # Numbered, because pictures of different folders may carry one name.
            write(draw / f"{number:04d}_{path.stem}.jpg", draw_faces(draw_people(image, bodies), faces))
        if json:
            record: dict[str, object] = {
                "source": str(path),
                "width": image.shape[1],
                "height": image.shape[0],
                "face_num": len(faces),
                "face_list": [face.to_dict() for face in faces],
            }
            if people:
                record |= {"person_num": len(bodies), "person_list": [body.to_dict() for body in bodies]}
            print_json(record | {"milliseconds": milliseconds | more})
        else:
            _print_faces(path, [face.to_dict() for face in faces])
            if people:
                _print_people(path, [body.to_dict() for body in bodies])
    if draw is not None:
        note(f"pictures with what was found marked are in {draw}")
    if failures:
        raise BadInputError(
            f"{failures} of {len(paths)} pictures could not be read; each is named above with its reason",
            code="pictures_failed",
        )


def _wanted(features: str | None, people: bool) -> tuple[list[Feature], list[PersonFeature]]:
    from mien.errors import UsageError

    known = (*_FEATURES, *_OF_PEOPLE)
    names = _USUAL if features is None else [name.strip() for name in features.split(",") if name.strip()]
    if unknown := [name for name in names if name not in known]:
        raise UsageError(f"--with {unknown[0]!r} is not known; there are {', '.join(known)}", code="feature_unknown")
    bodies: list[PersonFeature] = [feature for feature in _OF_PEOPLE if feature in names]
    if features is not None and bodies and not people:
        raise UsageError(f"--with {bodies[0]!r} describes bodies; add --people to find them", code="people_not_asked")
    return [feature for feature in _FEATURES if feature in names], bodies


def _print_faces(path: Path, faces: list[dict[str, object]]) -> None:
    if not faces:
        print(f"{path}: no face")
        return
    rows = []
    for face in faces:
        box: dict[str, float] = face["rect"]  # type: ignore[assignment]
        pose: dict[str, float] = face.get("face_3d", {})  # type: ignore[assignment]
        angles = " ".join(f"{pose[name]:+.0f}" for name in ("yaw", "pitch", "roll")) if pose else None
        rows.append([_geometry(box), face["score"], face.get("quality"), face.get("age"), face.get("gender"), angles])
    print_table(
        f"{path}: {len(faces)} face{'s' if len(faces) > 1 else ''}",
        ["box", "score", "quality", "age", "gender", "yaw pitch roll"],
        rows,
    )


def _print_people(path: Path, people: list[dict[str, object]]) -> None:
    if not people:
        print(f"{path}: nobody")
        return
    rows = []
    for person in people:
        looks: dict[str, object] = person.get("attributes", {})  # type: ignore[assignment]
        colours = "/".join(str(looks[name]) for name in ("upper_colour", "lower_colour") if name in looks)
        has = [name for name, value in looks.items() if isinstance(value, float) and value > 0.5]
        box: dict[str, float] = person["rect"]  # type: ignore[assignment]
        rows.append([_geometry(box), person["score"], colours or None, ", ".join(has) or None])
    count = len(people)
    title = f"{path}: {count} {'person' if count == 1 else 'people'}"
    print_table(title, ["box", "score", "upper/lower", "has"], rows)


def _geometry(box: dict[str, float]) -> str:
    """WIDTHxHEIGHT+LEFT+TOP."""
    return f"{box['right'] - box['left']:.0f}x{box['bottom'] - box['top']:.0f}{box['left']:+.0f}{box['top']:+.0f}"


def verify(
    first: Annotated[Path, typer.Argument(metavar="PICTURE")],
    second: Annotated[Path, typer.Argument(metavar="PICTURE")],
    fmr: Annotated[float, typer.Option(min=1e-12, max=0.999, help="False match rate of the decision.")] = 1e-4,
    json: Json = False,
) -> None:
    """Do two pictures show the same person? Exit code 0: yes, 1: no."""
    from mien.api import verify as verify_pictures

    answer = verify_pictures(first, second, fmr=fmr)
    if answer.extrapolated:
        note(f"warning: the calibration data cannot measure an FMR of {fmr:g}; the threshold is extrapolated")
    for path, count in zip((first, second), answer.faces, strict=True):
        if count > 1:
            note(f"warning: {path} shows {count} faces; the largest was taken")
    if json:
        print_json(answer.to_dict())
    else:
        word = "the same person" if answer.same else "different people"
        print(f"{word}: similarity {answer.similarity:.3f}, threshold {answer.threshold:.3f} at FMR {fmr:g}")
    if not answer.same:
        raise typer.Exit(1)


def cluster(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of pictures, searched with its sub-folders.")],
    json: Json = False,
    sheet: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a contact sheet (PNG or JPEG).")] = None,
) -> None:
    """Group the faces of a photo album by person."""
    from mien.drawing.contact_sheet import Tile, grouped_contact_sheet
    from mien.errors import BadInputError
    from mien.identity.album import cluster_album
    from mien.media.image import write

    check_picture_output(sheet)
    with progress("pictures") as report:
        album = cluster_album(folder, report)
    for _, error in album.failed:
        note(f"error [{error.code}]: {error}")
    if sheet is not None:
        groups = [
            (f"person {number + 1}: {_faces(len(group))}", [Tile(face.thumbnail, face.path.stem) for face in group])
            for number, group in enumerate(album.people)
        ]
        write(sheet, grouped_contact_sheet(groups))
        note(f"contact sheet: {sheet}")
    if json:
        print_json(album.to_dict())
    else:
        rows = [
            [number + 1, len(group), ", ".join(dict.fromkeys(face.path.name for face in group))]
            for number, group in enumerate(album.people)
        ]
        title = f"{_faces(album.faces)} in {album.pictures} pictures: {len(rows)} people"
        print_table(title, ["person", "faces", "in"], rows)
    if album.failed:
        raise BadInputError(
            f"{len(album.failed)} of {album.pictures} pictures could not be read; each is named above with its reason",
            code="pictures_failed",
        )


def _faces(count: int) -> str:
    return f"{count} face{'' if count == 1 else 's'}"
