"""What a similarity of two bodies is worth as evidence: measured on people who are known, not a bare threshold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError
from mien.models.calibration import calibration_file, read_calibration

CALIBRATIONS = Path(__file__).with_name("calibrations")
FORMAT = 1

_ROUNDS = 50
_RIDGE = 1e-3

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Appearance:
    """Cosine -> log-likelihood ratio of "the same person" against "different people".

    Attributes:
        slope, intercept: of the ratio in nats over the cosine.
        low, high: cosines beyond which the data says nothing more; the ratio stays as it is there.
    """

    slope: float
    intercept: float
    low: float
    high: float

    def evidence(self, cosine: Float64) -> Float64:
        """Log-likelihood ratios in nats of cosines in [-1, 1], of any shape.

        Example:
            >>> Appearance(20.0, -10.0, 0.2, 0.9).evidence(np.array([0.5, 0.6, 0.99])).round(3).tolist()
            [0.0, 2.0, 8.0]
        """
        return self.slope * np.clip(cosine, self.low, self.high) + self.intercept


def fitted(same: Float64, different: Float64) -> Appearance:
    """The log-likelihood ratio of two samples of cosines, by logistic regression in which both weigh the same.

    Args:
        same: `(N,)` cosines of pairs that show one person, at least one.
        different: `(M,)` of pairs that show two, at least one.

    Raises:
        BadInputError: `calibration_too_small`.
    """
    if not len(same) or not len(different):
        raise BadInputError(
            f"{len(same)} pairs of one person and {len(different)} of two were given; appearance is calibrated on "
            "both: give people who were seen several times",
            code="calibration_too_small",
        )
    cosine = np.concatenate([same, different])
    weight = np.concatenate([np.full(len(same), 0.5 / len(same)), np.full(len(different), 0.5 / len(different))])
    target = np.concatenate([np.ones(len(same)), np.zeros(len(different))])
    centre = float(weight @ cosine)
    design = np.stack([cosine - centre, np.ones_like(cosine)], axis=1)
    solution = np.zeros(2)
    for _ in range(_ROUNDS):  # Newton; the small ridge keeps samples that do not overlap finite
        probability = 1 / (1 + np.exp(-design @ solution))
        gradient = design.T @ (weight * (probability - target)) + _RIDGE * np.array([1e-3, 0]) * solution
        curvature = weight * probability * (1 - probability)
        step = np.linalg.solve((design * curvature[:, None]).T @ design + np.diag([1e-3 * _RIDGE, 1e-12]), gradient)
        solution -= np.clip(step, -20, 20)
        if np.abs(step).max() < 1e-9:
            break
    slope, intercept = solution.tolist()
    low, high = float(np.quantile(different, 0.01)), float(np.quantile(same, 0.99))
    return Appearance(slope, intercept - slope * centre, min(low, high), max(low, high))


def load_appearance(model: str, fingerprint: bytes, *, folder: Path | None = None) -> Appearance:
    """The calibration of an embedder's similarities across cameras.

    Args:
        model: the embedder's name.
        fingerprint: the embedder's.
        folder: where `MODEL.json` lies; None takes the model's folder or mien's own calibrations.

    Raises:
        MissingError: `calibration_missing`, there is none for this model.
        BadInputError: `calibration_mismatch`, it is for another fingerprint; `calibration_invalid`.
    """
    file = folder / f"{model}.json" if folder else calibration_file(model, "appearance.json", CALIBRATIONS)
    remedy = f"make it with `mien evaluate cameras --train DIR --test DIR --model {model} --calibration {file}`"
    content = read_calibration(file, model, fingerprint, remedy)
    try:
        return Appearance(**{name: float(content[name]) for name in ("slope", "intercept", "low", "high")})
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{file} is no calibration of appearance ({error!r}); {remedy}", code="calibration_invalid"
        ) from error
