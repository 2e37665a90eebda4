"""Attributes of people measured as the field does it: by attribute and by person.

Label-based mean accuracy is that of Deng, Luo, Loy and Tang: "Pedestrian Attribute Recognition At Far Distance", ACM
Multimedia 2014 (PETA); the instance-based figures are those of Li, Zhang, Chen, Ling and Huang: "A Richly Annotated
Dataset for Pedestrian Attribute Recognition", 2016 (RAP). A label may be unknown for a person and then counts nowhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.evaluation.extraction import PICTURES_AT_ONCE, in_batches, read_pictures
from mien.person.attributes import ATTRIBUTES
from mien.person.colour import COLOURS

if TYPE_CHECKING:
    from mien.person.attributes import AttributeEstimator
    from mien.records import Attributes

COLOUR_LABELS = ("upper_colour", "lower_colour")
UNKNOWN = -1
"""Where a label is neither 0 nor 1."""

Labels = NDArray[np.integer[Any]]


def mean_accuracy(predicted: NDArray[np.bool_], truth: Labels) -> NDArray[np.float64]:
    """Mean of the accuracy on those who have an attribute and on those who have not, which chance puts at 0.5.

    Args:
        predicted: bool `(P, A)` for `P` people and `A` attributes.
        truth: `(P, A)`: 1, 0 or `UNKNOWN`.

    Returns:
        float64 `(A,)` in [0, 1]; NaN where the people do not have both answers.

    Example:
        >>> answers = np.array([[True], [True], [False], [False]])
        >>> mean_accuracy(answers, np.array([[1], [0], [0], [0]])).round(3)
        array([0.833])
    """
    has, lacks = truth == 1, truth == 0
    with np.errstate(invalid="ignore"):
        right = (predicted & has).sum(0) / has.sum(0) + (~predicted & lacks).sum(0) / lacks.sum(0)
    return np.asarray(right / 2, np.float64)


def instance_figures(predicted: NDArray[np.bool_], truth: Labels) -> dict[str, float]:
    """Accuracy (intersection over union), precision, recall and F1, each a mean over people.

    F1 is of the mean precision and the mean recall. A person without any predicted (true) attribute counts 0 in
    precision (recall), as in RAP's code; one with neither is right and counts 1 in accuracy.

    Args:
        predicted: bool `(P, A)`.
        truth: `(P, A)`: 1, 0 or `UNKNOWN`.

    Returns:
        `{"accuracy", "precision", "recall", "f1"}` in [0, 1]; all 0 for no people.
    """
    known, has = truth != UNKNOWN, truth == 1
    said = predicted & known
    both, either = (said & has).sum(1), (said | has).sum(1)
    accuracy = np.where(either > 0, both / np.maximum(either, 1), 1.0)
    precision = both / np.maximum(said.sum(1), 1)
    recall = both / np.maximum(has.sum(1), 1)
    means = [float(values.mean()) if len(values) else 0.0 for values in (accuracy, precision, recall)]
    total = means[1] + means[2]
    return {
        "accuracy": means[0],
        "precision": means[1],
        "recall": means[2],
        "f1": 2 * means[1] * means[2] / total if total else 0.0,
    }


def read_truth(file: Path) -> dict[str, dict[str, Any]]:
    """Labels by picture: JSON `{picture: {"male": 1, "hat": 0, "upper_colour": "red", ...}}`.

    An attribute is true, false, 1, 0, or null or absent where it is not known; a colour is one of `COLOURS` or null.

    Raises:
        BadInputError: `truth_missing` or `truth_invalid`.
    """
    try:
        content = json.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        raise BadInputError(f"the truth file {file} cannot be read: {error.strerror}", code="truth_missing") from error
    except ValueError as error:
        raise BadInputError(f"the truth file {file} is not JSON: {error}", code="truth_invalid") from error
    if not isinstance(content, dict) or not content:
        raise _invalid(file, "it is not an object of pictures")
    for picture, labels in content.items():
        if not isinstance(labels, dict):
            raise _invalid(file, f"{picture!r} has no object of labels")
        for name, value in labels.items():
            allowed = (None, *COLOURS) if name in COLOUR_LABELS else (None, 0, 1) if name in ATTRIBUTES else ()
            if isinstance(value, list | dict) or value not in allowed:
                raise _invalid(file, f"{picture!r} has {name!r}: {value!r}")
    return content


def evaluate(
    estimator: AttributeEstimator,
    images: Path,
    truth_file: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Run the estimator over pictures of one person each and measure it: the JSON of `mien evaluate attributes`.

    Args:
        estimator: of attributes.
        images: folder with the pictures that the truth names.
        truth_file: see `read_truth`.
        progress: called with pictures done and pictures in all.

    Raises:
        BadInputError: the truth cannot be read, or a picture that it names is not in the folder.
    """
    truth = read_truth(truth_file)
    paths = [Path(images) / name for name in truth]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise BadInputError(
            f"{len(missing)} of the {len(paths)} pictures that {truth_file} names are not there, first {missing[0]}; "
            "give the folder that its names are relative to",
            code="picture_missing",
        )
    found: list[Attributes] = []
    for batch in in_batches(paths, PICTURES_AT_ONCE):
        found += estimator.of_crops(read_pictures(batch))
        if progress is not None:
            progress(len(found), len(paths))
    return figures(found, list(truth.values()))


def figures(found: list[Attributes], truth: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of `evaluate`, from what was found and the labels of the same people.

    Attributes that the labels do not tell on both sides are left out: their mean accuracy is null. `ma` is the mean
    over the others, which the instance-based figures are over too. A colour's `accuracy` is over the people, `recall`
    the mean over the colours.
    """
    predicted = np.array([[person.probabilities[name] > 0.5 for name in ATTRIBUTES] for person in found])
    predicted = predicted.reshape(len(found), len(ATTRIBUTES))
    labels = np.array([[_label(person.get(name)) for name in ATTRIBUTES] for person in truth])
    labels = labels.reshape(len(truth), len(ATTRIBUTES))
    accuracy = mean_accuracy(predicted, labels)
    measured = np.isfinite(accuracy)
    record: dict[str, Any] = {
        "ma": round(float(accuracy[measured].mean()), 4) if measured.any() else None,
        **{
            name: round(value, 4)
            for name, value in instance_figures(predicted[:, measured], labels[:, measured]).items()
        },
        "attributes": {
            name: round(float(value), 4) if np.isfinite(value) else None
            for name, value in zip(ATTRIBUTES, accuracy, strict=True)
        },
    }
    for name in COLOUR_LABELS:
        pairs = [
            (person[name], getattr(seen, name)) for person, seen in zip(truth, found, strict=True) if person.get(name)
        ]
        record[name] = _colour_figures(pairs)
    record["people"] = len(found)
    return record


def _colour_figures(pairs: list[tuple[str, str | None]]) -> dict[str, float] | None:
    if not pairs:
        return None
    right = np.array([expected == seen for expected, seen in pairs])
    names = np.array([expected for expected, _ in pairs])
    recall = [float(right[names == name].mean()) for name in sorted(set(names.tolist()))]
    return {"accuracy": round(float(right.mean()), 4), "recall": round(float(np.mean(recall)), 4), "people": len(pairs)}


def _label(value: Any) -> int:
    return UNKNOWN if value is None else int(value)


def _invalid(file: Path, reason: str) -> BadInputError:
    return BadInputError(
        f"the truth file {file}: {reason}; expected an object of pictures, each with any of {', '.join(ATTRIBUTES)} "
        f"(0, 1 or null) and {', '.join(COLOUR_LABELS)} (one of {', '.join(COLOURS)}, or null)",
        code="truth_invalid",
    )
