"""`mien evaluate`, the part about video: tracks, composed clips, cameras, events and zones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.evaluate import Images, Model
from mien.cli.output import Json, print_figures, print_json, print_table, progress


def register(app: typer.Typer) -> None:
    """Add this module's commands to `mien evaluate`."""
    for command in (tracking, events, zones, clips, joining, cameras):
        app.command()(command)


def tracking(
    truth: Annotated[list[Path], typer.Option("--truth", metavar="FILE", help="Repeat for several sequences.")],
    result: Annotated[
        list[Path] | None, typer.Option("--result", metavar="FILE", help="In the order of the truth files.")
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option("--video", metavar="CLIP", help="Find and follow the people of this clip, and measure that."),
    ] = None,
    json: Json = False,
) -> None:
    """Are people followed? HOTA, CLEAR and ID figures over MOTChallenge files, or over a clip from end to end."""
    from mien.evaluation.tracking import evaluate

    if video is not None:
        print_figures("tracking", _clip_tracking(video, truth, result), json)
        return
    figures = evaluate(truth, result or [])
    if json:
        print_json(figures)
        return
    rows = [*figures["sequences"], {"truth": "all together", **figures}]
    names = ["hota", "deta", "assa", "mota", "idf1", "id_switches", "fp", "fn"]
    print_table("tracking", ["sequence", *names], [[str(row["truth"]), *(row[name] for name in names)] for row in rows])


def clips(
    images: Images,
    most: Annotated[
        int | None, typer.Option(min=1, help="At most so many enrolled and so many strangers' stays.")
    ] = None,
    fpir: Annotated[float, typer.Option(min=1e-6, max=0.999)] = 0.01,
    seed: Annotated[int, typer.Option(help="Of the clip's order and movements.")] = 0,
    json: Json = False,
) -> None:
    """Are people recognized in video? Clips are composed from a folder with a sub-folder a person, never stored."""
    from mien.evaluation.clips.watch import evaluate

    with progress("frames") as report:
        figures = evaluate(images, most=most, fpir=fpir, seed=seed, progress=report)
    print_figures("composed clips", figures, json)


def joining(
    images: Images,
    most: Annotated[int | None, typer.Option(min=1, help="At most so many stays of each kind.")] = None,
    seed: Annotated[int, typer.Option(help="Of the clip's order and movements.")] = 0,
    json: Json = False,
) -> None:
    """Are faces joined to the right bodies? In a clip composed from a folder with a sub-folder a person."""
    from mien.evaluation.joining import evaluate

    with progress("frames") as report:
        figures = evaluate(images, most=most, seed=seed, progress=report)
    print_figures("faces joined to bodies", figures, json)


def cameras(
    train: Annotated[list[Path], typer.Option("--train", metavar="DIR", help="Crops to learn from; repeatable.")],
    test: Annotated[list[Path], typer.Option("--test", metavar="DIR", help="Crops to follow; repeatable.")],
    model: Model = None,
    calibration: Annotated[
        Path | None, typer.Option("--calibration", metavar="FILE.json", help="Write what a similarity is worth there.")
    ] = None,
    topology: Annotated[
        Path | None, typer.Option("--topology", metavar="FILE.toml", help="Write the learned topology there.")
    ] = None,
    json: Json = False,
) -> None:
    """Are people followed from camera to camera? By looks, with time, with topology; names as in Market-1501."""
    from mien.evaluation.reid.cross_camera_runner import evaluate
    from mien.person.embedder import PersonEmbedder

    with progress("pictures") as report:
        figures = evaluate(
            PersonEmbedder(model), train, test, calibration=calibration, topology=topology, progress=report
        )
    print_figures("cameras", figures, json)


def events(
    truth: Annotated[Path, typer.Option(metavar="FILE.jsonl", help="What truly happened, one event a line.")],
    result: Annotated[Path, typer.Option(metavar="EVENTS.jsonl", help="Events that `mien watch` wrote.")],
    tolerance: Annotated[float, typer.Option(min=0, help="Seconds by which times may differ.")] = 2.0,
    json: Json = False,
) -> None:
    """Are events right? Precision, recall and false alarms an hour of each kind; counting error of each line."""
    from mien.evaluation.events import evaluate

    print_figures("events", evaluate(truth, result, tolerance=tolerance), json)


def zones(
    truth: Annotated[Path, typer.Option(metavar="GT.txt", help="True boxes of the clip, as in the MOTChallenge.")],
    zones: Annotated[Path, typer.Option(metavar="FILE.toml", help="The zone file of the events.")],
    result: Annotated[Path, typer.Option(metavar="EVENTS.jsonl", help="Events that `mien watch` wrote.")],
    json: Json = False,
) -> None:
    """Are crossings and stays right? Against the same lines and zones over true boxes."""
    from mien.evaluation.zones import evaluate

    print_figures("zones", evaluate(truth, zones, result), json)


def _clip_tracking(video: Path, truth: list[Path], result: list[Path] | None) -> dict[str, Any]:
    from mien.errors import UsageError
    from mien.evaluation.clip_tracking import evaluate

    if len(truth) != 1 or result:
        raise UsageError(
            "--video goes with one --truth and no --result; give the clip's own ground truth",
            code="track_files_unpaired",
        )
    with progress("frames") as report:
        return evaluate(video, truth[0], progress=report)
