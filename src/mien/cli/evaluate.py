"""`mien evaluate`: the figures of detection, recognition, tracking and clustering, on data that the user has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.output import Json, make_folder, note, print_json, print_table, progress

app = typer.Typer(help="Measure accuracy on labelled data.", no_args_is_help=True)

Images = Annotated[Path, typer.Option("--images", metavar="DIR", help="Folder of pictures.")]
Model = Annotated[str | None, typer.Option("--model", metavar="NAME", help="Embedder; the pack's by default.")]


@app.command()
def verification(
    images: Images,
    pairs: Annotated[Path, typer.Option(metavar="FILE", help="Pair list in LFW's format.")],
    model: Model = None,
    json: Json = False,
) -> None:
    """Are pairs of pictures told apart? LFW's protocol, from whole pictures."""
    from mien.evaluation.verification import evaluate

    with progress("pictures") as report:
        figures = evaluate(_detector(), _embedder(model), images, pairs, progress=report)
    _show("verification", figures, json)


@app.command()
def identification(images: Images, model: Model = None, json: Json = False) -> None:
    """Open-set search: the first picture of each subject enrolled, the others searched, single ones as strangers."""
    from mien.evaluation.identification import evaluate

    with progress("pictures") as report:
        figures = evaluate(_detector(), _embedder(model), images, progress=report)
    _show("identification", figures, json)


@app.command()
def detection(
    truth: Annotated[
        Path, typer.Option(metavar="FILE", help="Boxes, and which count at each level; MOTChallenge's for a video.")
    ],
    images: Annotated[Path | None, typer.Option("--images", metavar="DIR", help="Folder of pictures.")] = None,
    video: Annotated[Path | None, typer.Option("--video", metavar="FILE", help="A video of people instead.")] = None,
    long_side: Annotated[
        int | None, typer.Option(min=32, help="Reduce pictures to this longest side; their own up to 1600 otherwise.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", metavar="NAME", help="Detector; the pack's by default.")
    ] = None,
    json: Json = False,
) -> None:
    """Are faces found? The WIDER FACE evaluation. With --video: are people found? Average precision at IoU 0.5."""
    from mien.errors import UsageError
    from mien.evaluation.detection import evaluate
    from mien.face.detector import FaceDetector

    if (images is None) == (video is None):
        raise UsageError("give either --images DIR (faces) or --video FILE (people)", code="source_not_chosen")
    if images is None:
        _show("person detection", _person_detection(video, truth, model, long_side), json)
        return
    # Average precision integrates over all scores, so nearly all of them are kept.
    detector = FaceDetector(model, long_side=long_side, score=0.02)
    with progress("pictures") as report:
        figures = evaluate(detector, images, truth, progress=report)
    _show("detection", figures, json)


def _person_detection(video: Path | None, truth: Path, model: str | None, long_side: int | None) -> dict[str, Any]:
    from mien.errors import UsageError
    from mien.evaluation.person_detection import SCORE, evaluate
    from mien.person.detector import PersonDetector

    assert video is not None
    if long_side is not None:
        raise UsageError("--long-side is for faces; a person detector has one size", code="options_contradict")
    with progress("frames") as report:
        return evaluate(PersonDetector(model, score=SCORE), video, truth, progress=report)


@app.command()
def attributes(
    images: Images,
    truth: Annotated[Path, typer.Option(metavar="FILE.json", help="Labels by picture, one person a picture.")],
    json: Json = False,
) -> None:
    """Are sex, clothes and colours told? Mean accuracy of each attribute, F1 over people."""
    from mien.evaluation.attributes import evaluate
    from mien.person.attributes import AttributeEstimator

    with progress("pictures") as report:
        figures = evaluate(AttributeEstimator(), images, truth, progress=report)
    _show("attributes", figures, json)


@app.command()
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
        _show("tracking", _clip_tracking(video, truth, result), json)
        return
    figures = evaluate(truth, result or [])
    if json:
        print_json(figures)
        return
    rows = [*figures["sequences"], {"truth": "all together", **figures}]
    names = ["hota", "deta", "assa", "mota", "idf1", "id_switches", "fp", "fn"]
    print_table("tracking", ["sequence", *names], [[str(row["truth"]), *(row[name] for name in names)] for row in rows])


@app.command()
def reid(
    query: Annotated[Path, typer.Option("--query", metavar="DIR", help="Crops named as in Market-1501.")],
    gallery: Annotated[Path, typer.Option("--gallery", metavar="DIR", help="Crops named as in Market-1501.")],
    model: Model = None,
    rerank: Annotated[bool, typer.Option("--rerank", help="k-reciprocal re-ranking.")] = False,
    multiple: Annotated[
        bool, typer.Option("--multiple-query", help="A query is all pictures of its person in its camera.")
    ] = False,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", metavar="DIR", help="Draw rank lists there, as PNG.")
    ] = None,
    json: Json = False,
) -> None:
    """Are people found again in other cameras? CMC, mAP and mINP by the rules of Market-1501."""
    from mien.evaluation.reid_runner import evaluate
    from mien.person.embedder import PersonEmbedder

    if pictures is not None:
        make_folder(pictures)
    with progress("pictures") as report:
        figures = evaluate(
            PersonEmbedder(model), query, gallery, rerank=rerank, multiple=multiple, pictures=pictures, progress=report
        )
    _show("re-identification", figures, json)


@app.command()
def events(
    truth: Annotated[Path, typer.Option(metavar="FILE.jsonl", help="What truly happened, one event a line.")],
    result: Annotated[Path, typer.Option(metavar="EVENTS.jsonl", help="Events that `mien watch` wrote.")],
    tolerance: Annotated[float, typer.Option(min=0, help="Seconds by which times may differ.")] = 2.0,
    json: Json = False,
) -> None:
    """Are events right? Precision, recall and false alarms an hour of each kind; counting error of each line."""
    from mien.evaluation.events import evaluate

    _show("events", evaluate(truth, result, tolerance=tolerance), json)


@app.command()
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
    from mien.evaluation.cross_camera_runner import evaluate
    from mien.person.embedder import PersonEmbedder

    with progress("pictures") as report:
        figures = evaluate(
            PersonEmbedder(model), train, test, calibration=calibration, topology=topology, progress=report
        )
    _show("cameras", figures, json)


@app.command()
def zones(
    truth: Annotated[Path, typer.Option(metavar="GT.txt", help="True boxes of the clip, as in the MOTChallenge.")],
    zones: Annotated[Path, typer.Option(metavar="FILE.toml", help="The zone file of the events.")],
    result: Annotated[Path, typer.Option(metavar="EVENTS.jsonl", help="Events that `mien watch` wrote.")],
    json: Json = False,
) -> None:
    """Are crossings and stays right? Against the same lines and zones over true boxes."""
    from mien.evaluation.zones import evaluate

    _show("zones", evaluate(truth, zones, result), json)


@app.command()
def clustering(images: Images, model: Model = None, json: Json = False) -> None:
    """Are the faces of an album grouped by person? Pairwise and B-cubed F for each method."""
    from mien.evaluation.clustering import evaluate

    with progress("pictures") as report:
        figures = evaluate(_detector(), _embedder(model), images, progress=report)
    _show("clustering", figures, json)


@app.command()
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
    from mien.evaluation.clip_watch import evaluate

    with progress("frames") as report:
        figures = evaluate(images, most=most, fpir=fpir, seed=seed, progress=report)
    _show("composed clips", figures, json)


@app.command()
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
    _show("faces joined to bodies", figures, json)


@app.command()
def calibration(
    images: Images,
    output: Annotated[Path, typer.Option(metavar="FILE", help="Where the calibration goes, MODEL.json.")],
    model: Model = None,
    json: Json = False,
) -> None:
    """Make the table of thresholds of an embedder from all comparisons of different people in a folder."""
    from mien.evaluation.calibration import evaluate

    with progress("pictures") as report:
        figures = evaluate(_detector(), _embedder(model), images, output, progress=report)
    _show("calibration", figures, json)
    if not json:
        note(f"written to {output}")


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


def _detector() -> Any:
    from mien.face.detector import FaceDetector

    # A weak face is still the picture's face here: none may be lost to detection.
    return FaceDetector(score=0.3)


def _embedder(name: str | None) -> Any:
    from mien.face.embedder import FaceEmbedder

    return FaceEmbedder(name)


def _show(title: str, figures: dict[str, Any], json: bool) -> None:
    if json:
        print_json(figures)
        return
    print_table(title, ["figure", "value"], list(_flat(figures)))


def _flat(figures: dict[str, Any], prefix: str = "") -> list[list[Any]]:
    rows: list[list[Any]] = []
    for key, value in figures.items():
        name = f"{prefix}{key}"
        rows += _flat(value, f"{name} ") if isinstance(value, dict) else [[name, value]]
    return rows
