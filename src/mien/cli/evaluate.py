"""`mien evaluate`: the figures of detection, recognition, tracking and clustering, on data that the user has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.output import Json, make_folder, note, print_figures, progress

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
    print_figures("verification", figures, json)


@app.command()
def identification(images: Images, model: Model = None, json: Json = False) -> None:
    """Open-set search: the first picture of each subject enrolled, the others searched, single ones as strangers."""
    from mien.evaluation.identification import evaluate

    with progress("pictures") as report:
        figures = evaluate(_detector(), _embedder(model), images, progress=report)
    print_figures("identification", figures, json)


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
        print_figures("person detection", _person_detection(video, truth, model, long_side), json)
        return
    # Average precision integrates over all scores, so nearly all of them are kept.
    detector = FaceDetector(model, long_side=long_side, score=0.02)
    with progress("pictures") as report:
        figures = evaluate(detector, images, truth, progress=report)
    print_figures("detection", figures, json)


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
    print_figures("attributes", figures, json)


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
    attention: Annotated[
        Path | None, typer.Option("--attention", metavar="DIR", help="Draw where the network looks there, as PNG.")
    ] = None,
    json: Json = False,
) -> None:
    """Are people found again in other cameras? CMC, mAP and mINP by the rules of Market-1501."""
    from mien.evaluation.reid.runner import evaluate
    from mien.person.embedder import PersonEmbedder

    for folder in (pictures, attention):
        if folder is not None:
            make_folder(folder)
    with progress("pictures") as report:
        figures = evaluate(
            PersonEmbedder(model), query, gallery, rerank=rerank, multiple=multiple, pictures=pictures, progress=report
        )
    if attention is not None:
        _draw_attention(attention, figures["model"], query)
    print_figures("re-identification", figures, json)


@app.command()
def clustering(images: Images, model: Model = None, json: Json = False) -> None:
    """Are the faces of an album grouped by person? Pairwise and B-cubed F for each method."""
    from mien.evaluation.clustering import evaluate

    with progress("pictures") as report:
        figures = evaluate(_detector(), _embedder(model), images, progress=report)
    print_figures("clustering", figures, json)


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
    print_figures("calibration", figures, json)
    if not json:
        note(f"written to {output}")


def _draw_attention(folder: Path, name: str, pictures: Path) -> None:
    from mien.evaluation.reid.attention import AttentionMaps, write_attention
    from mien.evaluation.reid.runner import pictures_in
    from mien.models.catalogue import model

    write_attention(folder, AttentionMaps(model(name)), pictures_in(pictures))


def _detector() -> Any:
    from mien.face.detector import FaceDetector

    # A weak face is still the picture's face here: none may be lost to detection.
    return FaceDetector(score=0.3)


def _embedder(name: str | None) -> Any:
    from mien.face.embedder import FaceEmbedder

    return FaceEmbedder(name)
