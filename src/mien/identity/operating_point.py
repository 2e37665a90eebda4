"""Thresholds asked for as error rates, and what a rate means in a day.

A calibration holds, for one embedder, the similarity at which non-mated pairs match with each false match rate (FMR),
as measured on every comparison of different people in a data set. Below `30 / comparisons` the data cannot measure
(Doddington's rule of 30; ISO/IEC 19795-1); there the calibration continues the tail of the measured similarities as
an exponential, and a threshold says that it is extrapolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadInputError, UsageError
from mien.models.calibration import calibration_file, read_calibration

CALIBRATIONS = Path(__file__).with_name("calibrations")
MEASURABLE_EVENTS = 30
"""False matches that must have been seen for a rate to count as measured: +-30% at 90% confidence (Doddington)."""

FORMAT = 2

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Similarity <-> FMR of one embedder.

    Attributes:
        model: the embedder's name.
        fingerprint: the 16 bytes that templates of this embedder carry.
        comparisons: non-mated comparisons that were made.
        fmr: float64 `(L,)`, falling from 1.
        threshold: float64 `(L,)`, never falling: with `similarity >= threshold[i]` the FMR is `fmr[i]`.
        low, high: float64 `(L,)`, 95% interval of the FMR at that threshold, by bootstrap over identities.
        fnmr: float64 `(L,)`, share of mated comparisons of the same data that fail at that threshold.
        search_fmr: float64 `(L,)`, the FMR at that threshold where every pair of people weighs the same, however many
            pictures there are of them: what a search meets.
    """

    model: str
    fingerprint: bytes
    comparisons: int
    fmr: Float64
    threshold: Float64
    low: Float64
    high: Float64
    fnmr: Float64
    search_fmr: Float64

    @property
    def smallest_measurable_fmr(self) -> float:
        """The smallest FMR that the data measures; below it thresholds are extrapolated."""
        return MEASURABLE_EVENTS / self.comparisons


@dataclass(frozen=True, slots=True)
class Threshold:
    """A decision threshold: a pair matches where its similarity is `value` or more.

    Attributes:
        value: cosine in [-1, 1].
        fmr: the false match rate that it stands for.
        extrapolated: the calibration data cannot measure that rate.
        interval: 95% interval of the true rate.
    """

    value: float
    fmr: float
    extrapolated: bool
    interval: tuple[float, float]


def load_calibration(model: str, fingerprint: bytes, *, folder: Path | None = None) -> Calibration:
    """The calibration of an embedder.

    Args:
        model: the embedder's name.
        fingerprint: the embedder's 16 bytes: another alignment or precision of pixels needs another calibration.
        folder: where `MODEL.json` lies; None takes the model's folder or mien's own calibrations.

    Raises:
        MissingError: `calibration_missing`, there is none for this model.
        BadInputError: `calibration_mismatch`, it is for another fingerprint; `calibration_invalid`.
    """
    file = folder / f"{model}.json" if folder else calibration_file(model, "verification.json", CALIBRATIONS)
    remedy = f"make it with `mien evaluate calibration --images DIR --model {model} --output {file}`"
    content = read_calibration(file, model, fingerprint, remedy)
    try:
        columns = dict(zip(content["columns"], np.array(content["rows"], np.float64).T, strict=True))
        return Calibration(content["model"], fingerprint, int(content["comparisons"]), **columns)
    except (KeyError, TypeError, ValueError) as error:
        raise BadInputError(
            f"{file} is no calibration of verification ({error!r}); {remedy}", code="calibration_invalid"
        ) from error


def threshold_for_fmr(calibration: Calibration, fmr: float) -> Threshold:
    """The threshold at which non-mated pairs match with rate `fmr`, in (0, 1).

    Raises:
        UsageError: `rate_out_of_range`, also below what the calibration extrapolates to.
    """
    _check_rate("fmr", fmr)
    smallest = float(calibration.fmr[-1])
    # A hair of slack, so that a table's own last level is inside it.
    if fmr < smallest * (1 - 1e-9):
        raise UsageError(
            f"FMR {fmr:g} is below {smallest:g}, the smallest that the calibration of {calibration.model} is "
            f"extrapolated to (it measures down to {calibration.smallest_measurable_fmr:.1e}); ask for a larger rate",
            code="rate_out_of_range",
        )
    level = np.log(fmr)
    levels = np.log(calibration.fmr[::-1])
    low, high = (float(np.exp(np.interp(level, levels, _log(side[::-1])))) for side in _bounds(calibration))
    value = float(np.interp(level, levels, calibration.threshold[::-1]))
    return Threshold(value, fmr, fmr < calibration.smallest_measurable_fmr, (low, high))


def threshold_for_fpir(calibration: Calibration, fpir: float, enrolled: int) -> Threshold:
    """The threshold at which a search for a person who is not enrolled finds somebody with rate `fpir`, in (0, 1).

    FPIR = 1 - (1 - FMR)^N over N enrolled faces, with the FMR in which every pair of people weighs the same, takes the
    N comparisons of a probe as independent. Several faces of one subject are not: they resemble each other, so that
    fewer probes give an alarm than this says, and an FPIR asked for is kept.

    Args:
        calibration: of the embedder that made the templates.
        fpir: false positive identification rate.
        enrolled: faces that are searched; an empty gallery counts as one.

    Raises:
        UsageError: `rate_out_of_range`, or `count_out_of_range` where `enrolled` is negative.
    """
    _check_rate("fpir", fpir)
    _check_count("enrolled", enrolled)
    pair_rate = -np.expm1(np.log1p(-fpir) / max(enrolled, 1))
    levels = _log(calibration.search_fmr[::-1])
    fmr = float(np.exp(np.interp(np.log(pair_rate), levels, np.log(calibration.fmr[::-1]))))
    if pair_rate < calibration.search_fmr[-1]:
        fmr = float(pair_rate)  # below the table, which says so
    return threshold_for_fmr(calibration, fmr)


def fpir_at(fmr: float, enrolled: int) -> float:
    """FPIR of a search over `enrolled` faces whose comparisons have rate `fmr`; see `threshold_for_fpir`.

    Example:
        >>> round(fpir_at(1e-5, 1000), 5)
        0.00995
    """
    return float(-np.expm1(enrolled * np.log1p(-fmr)))


def fmr_at(calibration: Calibration, similarity: float) -> float:
    """The FMR of a threshold at this similarity; beyond the calibration's ends the rate at that end."""
    return float(np.exp(np.interp(similarity, calibration.threshold, np.log(calibration.fmr))))


def operating_point(
    enrolled: int, passers_by: float, fmr: float, prevalence: float | None = None, *, calibration: Calibration
) -> dict[str, float | bool | None]:
    """What a false match rate means in a day: the JSON of `mien operating-point`.

    Args:
        enrolled: faces on the watch list.
        passers_by: people a day who are searched for, once each.
        fmr: false match rate of one comparison, in (0, 1).
        prevalence: share of the passers-by who are enrolled, in [0, 1]. None where it is not known: all count as
            strangers, and neither true alarms nor precision are given.
        calibration: gives the share of enrolled passers-by who are missed at this FMR: on good pictures, so that true
            alarms are an upper bound for a real camera.

    Raises:
        UsageError: `rate_out_of_range` or `count_out_of_range`.
    """
    _check_count("enrolled", enrolled)
    _check_count("passers_by", passers_by)
    if prevalence is not None and not 0 <= prevalence <= 1:
        raise UsageError(f"prevalence {prevalence:g} is not a share in [0, 1]", code="rate_out_of_range")
    threshold = threshold_for_fmr(calibration, fmr)
    fnmr = float(np.interp(np.log(fmr), np.log(calibration.fmr[::-1]), calibration.fnmr[::-1]))
    fpir = fpir_at(fmr, enrolled)
    false_alarms = passers_by * (1 - (prevalence or 0)) * fpir
    # Nobody who passes can be recognized where nobody is enrolled.
    true_alarms = None if prevalence is None else passers_by * prevalence * (1 - fnmr) * (enrolled > 0)
    alarms = false_alarms + (true_alarms or 0)
    return {
        "fpir": fpir,
        "false_alarms_per_day": false_alarms,
        "expected_true_alarms_per_day": true_alarms,
        "precision": true_alarms / alarms if true_alarms is not None and alarms else None,
        "smallest_measurable_fmr": calibration.smallest_measurable_fmr,
        "extrapolated": threshold.extrapolated,
        "threshold": threshold.value,
        "fnmr": fnmr,
    }


def _bounds(calibration: Calibration) -> tuple[Float64, Float64]:
    return calibration.low, calibration.high


def _log(rates: Float64) -> Float64:
    return np.log(np.maximum(rates, np.finfo(np.float64).tiny))


def _check_rate(name: str, rate: float) -> None:
    if not 0 < rate < 1:
        raise UsageError(f"{name} {rate:g} is not a rate between 0 and 1, e.g. 1e-4", code="rate_out_of_range")


def _check_count(name: str, count: float) -> None:
    if not count >= 0:
        raise UsageError(f"{name} {count:g} is not a number of 0 or more", code="count_out_of_range")
