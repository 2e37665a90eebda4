"""`mien find` and `mien archive`: stored videos, indexed once and searched again and again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.output import Json, check_picture_output, note, print_json, print_table

if TYPE_CHECKING:
    from mien.archive.finding import Found
    from mien.archive.indexing import Progress

app = typer.Typer(help="The archive of indexed videos.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this module's command; the group `archive` is `mien.cli.find.app`."""
    app.command()(find)


def find(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="PICTURE", help="Who is looked for: a crop of a body, or the largest person of it."),
    ] = None,
    videos: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="VIDEO...", help="Index these if need be, and search in them; else everywhere."),
    ] = None,
    attributes: Annotated[
        str | None, typer.Option(metavar="WORDS", help="Look for words instead, e.g. 'blue top, backpack'.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="At most so many moments.")] = 20,
    rerank: Annotated[
        bool, typer.Option("--rerank", help="Order the most similar ones by their k-reciprocal neighbours.")
    ] = False,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Write a picture: thumbnails with their times.")
    ] = None,
    json: Json = False,
) -> None:
    """When is a person seen in stored videos? Videos are indexed at their first search."""
    from mien.archive.archive import Archive
    from mien.archive.finding import Finder
    from mien.archive.indexing import index_videos
    from mien.archive.query import WEAK, query_of
    from mien.archive.sheet import result_sheet
    from mien.archive.wanted import wanted_of
    from mien.media.frame_memory import share_arenas
    from mien.media.image import write
    from mien.person.detector import PersonDetector
    from mien.person.embedder import PersonEmbedder

    picture, inside = _arguments(list(names or []), videos, attributes, rerank)
    check_picture_output(sheet)
    wanted = wanted_of(attributes) if attributes is not None else []
    query = None if picture is None else query_of(picture, PersonEmbedder(), PersonDetector(score=WEAK))
    if query is not None and query.people > 1:
        note(f"warning: {picture} shows {query.people} people; the largest was taken")
    with Archive.open() as archive:
        here = None
        if inside is not None:
            share_arenas()
            with _indexing() as report:
                here = index_videos(archive, inside, report)
        finder = Finder(archive, here)
        if query is not None:
            found = finder.by_picture(query, top=top, rerank=rerank)
        else:
            found = finder.by_attributes(wanted, top=top)
    if sheet is not None:
        title = f"found, of {len(finder.index)} stretches in {len(finder.videos)} video(s)"
        write(sheet, result_sheet(found, asked=None if query is None else query.image, title=title))
    if json:
        print_json(
            {
                "moments": [one.to_dict() for one in found],
                "videos": len(finder.videos),
                "stretches": len(finder.index),
                "model": finder.videos[0].model,
            }
        )
        return
    _print(found, len(finder.index), len(finder.videos))


@app.command("list")
def list_videos(json: Json = False) -> None:
    """Which videos are indexed?"""
    from mien.archive.archive import Archive
    from mien.archive.sheet import clock

    with Archive.open() as archive:
        videos, days = archive.videos(), archive.keep_days
    if json:
        print_json({"videos": [video.to_dict() for video in videos], "keep_days": days})
        return
    rows = [
        [
            video.number,
            video.path,
            clock(video.seconds),
            video.people,
            video.indexed_at.isoformat(timespec="seconds"),
        ]
        for video in videos
    ]
    kept = "kept for ever" if days is None else f"kept for {days} days"
    print_table(f"{len(rows)} videos, {kept}", ["number", "video", "length", "people", "indexed"], rows)


@app.command()
def forget(
    videos: Annotated[
        list[str], typer.Argument(metavar="VIDEO...", help="Paths as listed, or numbers.", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Erase videos from the archive: people, thumbnails and keys; the files themselves are left alone."""
    from mien.archive.archive import Archive

    with Archive.open() as archive:
        erased = archive.forget(*[archive.number_of(video) for video in videos])
    _print_erased(erased, json)


@app.command()
def retain(
    keep_days: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Erase people and thumbnails N days after their indexing.")
    ] = None,
    forever: Annotated[bool, typer.Option("--forever", help="Keep them until they are forgotten.")] = False,
    json: Json = False,
) -> None:
    """Set for how long people are kept; what is older is erased now, and whenever the archive is opened."""
    from mien.archive.archive import Archive
    from mien.errors import UsageError

    if (keep_days is None) != forever:
        raise UsageError("give either --keep-days N or --forever", code="retain_arguments")
    with Archive.open() as archive:
        erased = archive.retain(keep_days)
    _print_erased(erased, json)


def _arguments(
    names: list[str], videos: list[str] | None, attributes: str | None, rerank: bool
) -> tuple[str | None, list[str] | None]:
    """The picture and the videos: of `--in A B C` the parser leaves B and C among the names, after the picture."""
    from mien.errors import UsageError

    picture = None
    if attributes is None:
        if not names:
            raise UsageError(
                "say who is looked for: `mien find PICTURE --in VIDEO...` or `mien find --attributes 'blue top' --in "
                "VIDEO...`",
                code="find_arguments",
            )
        picture, *names = names
    elif rerank:
        raise UsageError("--rerank goes with a picture, not with --attributes", code="options_contradict")
    if names and not videos:
        what = "give either a picture or --attributes" if attributes is not None else "give one picture"
        raise UsageError(f"{names[0]} is one too many: {what}, and videos after --in", code="find_arguments")
    return picture, None if videos is None else [*videos, *names]


@contextmanager
def _indexing() -> Iterator[Progress]:
    """A progress bar on stderr with frames a second; silent where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks: dict[Path, int] = {}

        def report(path: Path, done: int, total: int) -> None:
            if path not in tasks:
                tasks[path] = bar.add_task(f"index {path.name}", total=total or None, rate="")
            task = next(task for task in bar.tasks if task.id == tasks[path])
            rate = f"{task.speed:.0f} fps" if task.speed else ""
            bar.update(task.id, completed=done, rate=rate)

        yield report


def _print(found: list[Found], stretches: int, videos: int) -> None:
    from mien.archive.sheet import clock

    if not found:
        print(f"nobody was seen in {videos} video(s)")
        return
    rows = [
        [place, clock(one.track.began), clock(one.track.ended), one.similarity, one.video.path]
        for place, one in enumerate(found, 1)
    ]
    title = f"{len(found)} of {stretches} stretches in {videos} video(s)"
    print_table(title, ["", "from", "to", "similarity", "video"], rows)


def _print_erased(erased: int, json: bool) -> None:
    if json:
        print_json({"erased": erased})
    else:
        print(f"erased: {erased} video(s)")
