"""Are crossings counted right? The error of each line, over the whole time and minute by minute."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

WINDOW_SECONDS = 60.0
DIRECTIONS = ("forward", "backward")


def counting_error(
    truth: Iterable[Mapping[str, Any]], result: Iterable[Mapping[str, Any]], seconds: float
) -> dict[str, dict[str, Any]]:
    """Compares `crossed` events line by line.

    Args:
        truth, result: events with `event`, `time`, `line` and `direction`; others than `crossed` are passed over.
        seconds: length of the recording.

    Returns:
        By line: `truth` and `result` (crossings forward and backward), `error` (result minus truth, both directions
        together), `relative_error` (the sum of both directions' absolute errors, over the true crossings), and `mae`
        (mean absolute error of a direction's count in a minute; people who are counted too late and people who are
        not counted differ there).

    Example:
        >>> true = [{"event": "crossed", "time": 1.0, "line": "door", "direction": "forward"}]
        >>> counting_error(true, [], 60.0)["door"]["error"]
        -1
    """
    windows = max(1, int(np.ceil(seconds / WINDOW_SECONDS)))
    true, told = _counts(truth, windows), _counts(result, windows)
    empty = np.zeros((2, windows), np.int64)
    figures = {}
    for line in sorted(true.keys() | told.keys()):
        expected, counted = true.get(line, empty), told.get(line, empty)
        wrong = np.abs(counted.sum(axis=1) - expected.sum(axis=1)).sum()
        figures[line] = {
            "truth": dict(zip(DIRECTIONS, expected.sum(axis=1).tolist(), strict=True)),
            "result": dict(zip(DIRECTIONS, counted.sum(axis=1).tolist(), strict=True)),
            "error": int(counted.sum() - expected.sum()),
            "relative_error": round(float(wrong / expected.sum()), 4) if expected.sum() else None,
            "mae": round(float(np.abs(counted - expected).mean()), 4),
        }
    return figures


def _counts(records: Iterable[Mapping[str, Any]], windows: int) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """Crossings by line: `(2, windows)`, a row a direction."""
    counts: dict[str, np.ndarray[Any, np.dtype[np.int64]]] = {}
    for record in records:
        if record["event"] == "crossed" and record.get("direction") in DIRECTIONS:
            table = counts.setdefault(str(record.get("line")), np.zeros((2, windows), np.int64))
            window = min(windows - 1, max(0, int(record["time"] // WINDOW_SECONDS)))
            table[DIRECTIONS.index(record["direction"]), window] += 1
    return counts
