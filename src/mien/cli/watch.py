"""`mien watch`: a stream's events, as JSON lines and as an annotated video."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.output import Fpir, Json, note, print_json

if TYPE_CHECKING:
    from mien.identity.collection import Collection
    from mien.scene.watcher import Summary


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(watch)


def watch(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A video file, a folder of pictures, a webcam (0), or rtsp://...")
    ],
    collection: Annotated[str | None, typer.Option(help="Recognize the subjects of this collection.")] = None,
    fpir: Fpir = 0.01,
    start: Annotated[
        datetime | None, typer.Option(metavar="UTC", help="When a recording started: events then carry UTC.")
    ] = None,
    events: Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="Write one event a line.")] = None,
    video: Annotated[Path | None, typer.Option(metavar="FILE.mp4", help="Write the annotated video.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Write a picture: each track's best face, and a timeline.")
    ] = None,
    json: Json = False,
) -> None:
    """Follow and recognize the faces of a video or camera; Ctrl-C ends it with the summary."""
    from mien.identity.gallery import Gallery

    with ExitStack() as stack:
        people = stack.enter_context(Gallery.open())[collection] if collection else None
        summary = watch_stream(
            source, people, fpir=fpir, start=start, events=events, video=video, sheet=sheet, json=json
        ).to_dict()
    if json:
        print_json({"summary": summary})
        return
    note(
        f"{summary['frames']} frames in {summary['seconds']:.1f} s ({summary['fps']:.0f} a second), "
        f"{summary['tracks']} tracks, {summary['extractions']} features"
    )
    for name, seen in summary["subjects"].items():
        note(f"  {name}: {seen['tracks']} track(s), from {seen['first']:.1f} s to {seen['last']:.1f} s")


def watch_stream(
    source: str,
    people: Collection | None,
    *,
    fpir: float,
    start: datetime | None = None,
    events: Path | None = None,
    video: Path | None = None,
    sheet: Path | None = None,
    json: bool = False,
) -> Summary:
    """Watch a source to its end, or until Ctrl-C, with all that was asked for written on the way."""
    from mien.drawing.annotate import annotate
    from mien.media.image import write
    from mien.media.video import open_video
    from mien.media.writer import VideoWriter
    from mien.scene.sinks import JsonLines
    from mien.scene.track_sheet import TrackSheet
    from mien.scene.watcher import Watcher

    with ExitStack() as stack:
        stop = stack.enter_context(_Interruption())
        stream = stack.enter_context(open_video(source, start=start))
        watcher = Watcher(people, fpir=fpir)
        sink = stack.enter_context(JsonLines(events)) if events else None
        writer = None
        if video is not None:
            writer = stack.enter_context(VideoWriter(video, stream.frame_rate, stream.width, stream.height))
        tracks = TrackSheet() if sheet is not None else None
        report = stack.enter_context(_Report(stream.frame_count))
        moments = stack.enter_context(closing(watcher.watch(stream)))
        for moment in moments:
            for event in moment.events:
                record = event.to_dict()
                if sink is not None:
                    sink.write(record)
                if json:
                    print_json(record)
                elif not report.shown or event.event in ("recognized", "alarm"):
                    report.print(_line(record))
            if tracks is not None:
                tracks.add(moment)
            if writer is not None and not moment.is_end:
                annotate(moment.frame.image, moment.faces, moment.labels)
                writer.write(moment.frame.image, moment.frame.time)
            report.frame(moment.frame.index)
            if stop.asked:
                break
    if tracks is not None and sheet is not None:
        write(sheet, tracks.draw())
    return watcher.summary


def _line(record: dict[str, Any]) -> str:
    who = f" {record['subject']} ({record['similarity']:.2f})" if record["subject"] else ""
    return f"{record['time']:9.2f} s  track {record['track_id']:<4d} {record['event']}{who}"


class _Interruption:
    """Ctrl-C and SIGTERM ask the loop to end after its frame; a second Ctrl-C ends at once."""

    def __init__(self) -> None:
        self.asked = False

    def __enter__(self) -> _Interruption:
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


class _Report:
    """The progress bar with frames a second, on a terminal; lines can be printed above it."""

    def __init__(self, total: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self.shown = console.is_terminal
        self.frames = 0
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not self.shown)
        self._task = self._bar.add_task("watch", total=total, rate="")

    def __enter__(self) -> _Report:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def frame(self, index: int) -> None:
        self.frames = index + 1
        if self.shown:
            speed = self._bar.tasks[0].speed
            self._bar.update(self._task, completed=self.frames, rate=f"{speed:.0f} fps" if speed else "")

    def print(self, line: str) -> None:
        if self.shown:
            self._bar.console.print(line, highlight=False, markup=False)
        else:
            sys.stderr.write(line + "\n")
