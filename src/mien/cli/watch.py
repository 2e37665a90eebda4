"""`mien watch`: a stream's events, as JSON lines and as an annotated video."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.interrupting import interruptible
from mien.cli.output import Fpir, Json, check_picture_output, note, print_counts, print_json
from mien.errors import MienError, MissingError

if TYPE_CHECKING:
    from mien.identity.collection import Collection
    from mien.scene.moment import Summary
    from mien.scene.visits.visitor_book import VisitorBook
    from mien.scene.zones.zone_file import Zones


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(watch)


def watch(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A video file, a folder of pictures, a webcam (0), or rtsp://...")
    ],
    collection: Annotated[str | None, typer.Option(help="Recognize the subjects of this collection.")] = None,
    fpir: Fpir = 0.01,
    people: Annotated[bool, typer.Option("--people", help="Follow people by their bodies, too.")] = False,
    zones: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Lines, zones and rules of the picture; takes --people for granted."),
    ] = None,
    moving_camera: Annotated[
        bool,
        typer.Option("--moving-camera", help="The camera shakes or pans: follow people relative to the background."),
    ] = False,
    staff: Annotated[
        str | None,
        typer.Option(metavar="COLLECTION", help="These are no visitors; without --collection they are recognized."),
    ] = None,
    features: Annotated[
        str | None,
        typer.Option("--with", metavar="LIST", help="What to find out of visitors: age_gender, from their faces."),
    ] = None,
    visitors: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE", help="Know visitors of earlier runs again, and keep how they look for a day, encrypted."
        ),
    ] = None,
    start: Annotated[
        datetime | None, typer.Option(metavar="UTC", help="When a recording started: events then carry UTC.")
    ] = None,
    events: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Write one event a line.")] = None,
    video: Annotated[Path | None, typer.Option(metavar="FILE.mp4", help="Write the annotated video.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Write a picture: each track's best shot, and a timeline.")
    ] = None,
    json: Json = False,
) -> None:
    """Follow and recognize the faces or people of a video or camera; Ctrl-C ends it with the summary.

    --zones, --staff, --with and --visitors are about people and take --people for granted.
    """
    from mien.identity.gallery import Gallery
    from mien.scene.visits.visitor_store import VisitorStore
    from mien.scene.zones.zone_file import load_zones

    looked_at = load_zones(zones) if zones else None
    _check_features(features)
    with ExitStack() as stack:
        gallery = stack.enter_context(Gallery.open()) if collection or staff else None
        known = gallery[collection] if gallery and collection else None
        summary, problem = watch_stream(
            source,
            known,
            fpir=fpir,
            people=people,
            zones=looked_at,
            moving_camera=moving_camera,
            staff=gallery[staff] if gallery and staff else None,
            age_gender=features is not None,
            visitors=stack.enter_context(VisitorStore.open()).book(visitors) if visitors else None,
            start=start,
            events=events,
            video=video,
            sheet=sheet,
            json=json,
        )
    if json:
        print_json({"summary": summary.to_dict()})
    else:
        _print_summary(summary.to_dict())
    if problem is not None:
        raise problem


def watch_stream(
    source: str,
    collection: Collection | None,
    *,
    fpir: float,
    people: bool = False,
    zones: Zones | None = None,
    moving_camera: bool = False,
    staff: Collection | None = None,
    age_gender: bool = False,
    visitors: VisitorBook | None = None,
    start: datetime | None = None,
    events: Path | None = None,
    video: Path | None = None,
    sheet: Path | None = None,
    json: bool = False,
) -> tuple[Summary, MienError | None]:
    """Watch a source to its end, or until Ctrl-C, with all that was asked for written on the way.

    Returns:
        The totals, and what ended the stream where it was not its end: a camera that went away. What was seen until
        then is written all the same.
    """
    from mien.media.frame_memory import share_arenas
    from mien.media.image import write
    from mien.media.video import open_video
    from mien.scene.annotated_video import AnnotatedVideo
    from mien.scene.sinks.json_lines import JsonLines
    from mien.scene.track_sheet import TrackSheet
    from mien.scene.watcher import Watcher

    _check_outputs(source, events, video, sheet)
    share_arenas()
    problem = None
    with ExitStack() as stack:
        with _killable():
            stream = stack.enter_context(open_video(source, start=start))
        watcher = Watcher(
            collection,
            fpir=fpir,
            people=people,
            zones=zones,
            moving_camera=moving_camera,
            staff=staff,
            age_gender=age_gender,
            visitors=visitors,
        )
        sink = stack.enter_context(JsonLines(events)) if events else None
        drawn = None
        if video is not None:
            size = stream.width, stream.height
            drawn = stack.enter_context(AnnotatedVideo(video, stream.frame_rate, *size, zones=zones))
        tracks = TrackSheet() if sheet is not None else None
        report = stack.enter_context(_Report(stream.frame_count))
        moments = stack.enter_context(closing(watcher.watch(stream)))
        stack.enter_context(interruptible(stream.close))
        try:
            for moment in moments:
                for record in (event.to_dict() for event in moment.events):
                    if sink is not None:
                        sink.write(record)
                    if json:
                        print_json(record)
                    else:
                        report.event(record)
                if tracks is not None:
                    tracks.add(moment)
                if drawn is not None:
                    drawn.add(moment)
                report.frame(moment.frame.index)
        except MissingError as lost:
            problem = lost
    if tracks is not None and sheet is not None:
        write(sheet, tracks.draw())
    return watcher.summary, problem


def _check_features(features: str | None) -> None:
    from mien.errors import UsageError

    if features not in (None, "age_gender"):
        raise UsageError(f"--with {features!r} is not known; there is age_gender", code="feature_unknown")


def _check_outputs(source: str, events: Path | None, video: Path | None, sheet: Path | None) -> None:
    """A result must not be written over the source, nor over another result."""
    from mien.errors import UsageError

    check_picture_output(sheet)
    outputs = [path for path in (events, video, sheet) if path is not None]
    taken = {Path(source).absolute()}
    for path in outputs:
        if path.absolute() in taken or (path.exists() and Path(source).exists() and path.samefile(source)):
            raise UsageError(f"{path} would be written over; give every result a file of its own", code="file_in_use")
        taken.add(path.absolute())


def _print_summary(summary: dict[str, Any]) -> None:
    note(
        f"{summary['frames']} frames in {summary['seconds']:.1f} s ({summary['fps']:.0f} a second), "
        f"{summary['tracks']} tracks, {summary['extractions']} features"
    )
    if summary["dropped"]:
        note(f"  {summary['dropped']} frames came too fast and were left out")
    for name, seen in summary["subjects"].items():
        note(f"  {name}: {seen['tracks']} track(s), from {seen['first']:.1f} s to {seen['last']:.1f} s")
    print_counts(summary)
    if "visits" in summary:
        _print_visits(summary["visits"])


def _print_visits(visits: dict[str, Any]) -> None:
    staff = f", without {visits['staff']} of the staff" if visits["staff"] else ""
    note(f"  {visits['visits']} visit(s) of {visits['visitors']} visitor(s), {visits['returning']} came again{staff}")
    for name in ("sex", "age"):
        if any(number for group, number in visits[name].items() if group != "unknown"):
            note(f"    {name}: " + ", ".join(f"{number} {group}" for group, number in visits[name].items() if number))


@contextmanager
def _killable() -> Iterator[None]:
    """Ctrl-C ends the process at once: PyAV swallows a KeyboardInterrupt while it waits for a camera's answer."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Report:
    """The progress bar with frames a second, on a terminal; lines can be printed above it."""

    def __init__(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self.shown = console.is_terminal
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not self.shown)
        self._task = self._bar.add_task("watch", total=total, rate="")

    def __enter__(self) -> _Report:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def frame(self, index: int) -> None:
        if self.shown:
            speed = self._bar.tasks[0].speed
            self._bar.update(self._task, completed=index + 1, rate=f"{speed:.0f} fps" if speed else "")

    def event(self, record: dict[str, Any]) -> None:
        """Every event as a line; above the bar only those that say more than that somebody is there."""
        from mien.cli.event_text import event_line

        if not self.shown:
            note(event_line(record))
        elif record["event"] not in ("appeared", "unknown", "left"):
            self._bar.console.print(event_line(record), highlight=False, markup=False)
