"""`mien demo`, what `make demo` runs: the main job from nothing, on a clip that it makes or on the user's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.output import make_folder, note, progress


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(demo)


def demo(
    source: Annotated[Path | None, typer.Option(help="Your own clip.")] = None,
    faces: Annotated[Path | None, typer.Option(help="Your own faces: one sub-folder a person.")] = None,
    output: Annotated[Path, typer.Option(help="Where the results go.")] = Path("demo-output"),
) -> None:
    """Enroll from a still picture, then recognize in a clip: annotated video, contact sheet, events."""
    from mien.errors import UsageError

    if (source is None) != (faces is None):
        raise UsageError("give both: SOURCE=clip.mp4 and FACES=folder (one sub-folder a person)", code="demo_arguments")
    # The demo's people do not belong into the user's gallery.
    os.environ["MIEN_DATA"] = str(output / "gallery")
    os.environ["MIEN_KEY_FILE"] = str(output / "gallery" / "master.key")
    make_folder(output)
    # Before the clips are made: whoever lacks a model should not wait for them first.
    _load_models()
    if source is None or faces is None:
        clips, people = _astronaut(output)
    else:
        clips, people = [source], _people(faces)
    _run(output, clips, people)


def _load_models() -> None:
    """Load the pack's models, or where they can neither be found nor fetched those of the starter pack."""
    from mien.errors import MissingError
    from mien.identity.pictures import analyzer
    from mien.models.catalogue import catalogue
    from mien.settings import settings

    try:
        _ = analyzer(None).embedder
    except MissingError as error:
        if all(entry.pack != "starter" for entry in catalogue().values()):
            raise
        note(f"notice: {error}")
        note(
            "notice: going on with the starter pack: small networks that this project trained, for research only and "
            "less accurate; `mien models card starter-face-embedder` says more"
        )
        os.environ["MIEN_PACK"] = "starter"
        settings.cache_clear()
        _ = analyzer(None).embedder


def _astronaut(output: Path) -> tuple[list[Path], dict[str, list[Path]]]:
    from mien.evaluation.clips.astronaut import SUBJECT, write_clips

    note("making two clips of the astronaut (NASA portrait, public domain)")
    clips = write_clips(output)
    return [clips.with_her, clips.without_her], {SUBJECT: [clips.portrait]}


def _people(faces: Path) -> dict[str, list[Path]]:
    from mien.identity.pictures import folder_subjects

    return folder_subjects(faces)


def _run(output: Path, clips: list[Path], people: dict[str, list[Path]]) -> None:
    from mien.cli.watch import watch_stream
    from mien.errors import BadInputError
    from mien.identity.gallery import Gallery
    from mien.identity.pictures import enroll_pictures

    with Gallery.open() as gallery:
        with progress("enrolling") as report:
            enrolled = enroll_pictures(gallery["demo"], people, progress=report)
        for _, error in enrolled.failed:
            note(f"error [{error.code}]: {error}")
        if len(enrolled.failed) == enrolled.pictures:
            raise BadInputError("no picture could be enrolled", code="pictures_failed")
        note(f"enrolled: {', '.join(people)}")
        for clip in clips:
            note(f"watching {clip.name}")
            results = {
                "annotated video": output / f"{clip.stem}_annotated.mp4",
                "contact sheet": output / f"{clip.stem}_sheet.png",
                "events": output / f"{clip.stem}_events.jsonl",
            }
            video, sheet, events = results.values()
            summary, _ = watch_stream(str(clip), gallery["demo"], fpir=0.01, events=events, video=video, sheet=sheet)
            seen = ", ".join(summary.subjects) or "nobody who is enrolled"
            rate = summary.frames / summary.seconds if summary.seconds else 0.0
            print(f"{clip.name}: {summary.frames} frames at {rate:.0f} a second, saw {seen}")
            for name, path in results.items():
                print(f"  {name}: {path.resolve()}")
