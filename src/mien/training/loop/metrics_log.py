"""What a run measures, written as it comes: JSON lines, and events that TensorBoard reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tensorboardX import SummaryWriter

from mien.media.files import replacing


class MetricsLog:
    """Appends to `metrics.jsonl` and to TensorBoard's event file.

    Args:
        lines: the JSON lines' file.
        events: TensorBoard's folder.
        after: a resumed run's step: lines of later steps, of a run that was killed, are dropped.
    """

    def __init__(self, lines: Path, events: Path, *, after: int = 0) -> None:
        _drop_later(lines, after)
        self._file = lines.open("a", encoding="utf-8")
        # A file of its own for each time the run is taken up: names that differ by the second only may collide.
        self._events = SummaryWriter(
            str(events), purge_step=after + 1 if after else None, filename_suffix=f".{after}" if after else ""
        )

    def write(self, kind: str, step: int, figures: Mapping[str, Any]) -> None:
        """One line `{"kind", "step", ...}`; the numbers go to TensorBoard as `kind/name`."""
        self._file.write(json.dumps({"kind": kind, "step": step, **figures}) + "\n")
        for name, value in figures.items():
            if isinstance(value, int | float):
                self._events.add_scalar(f"{kind}/{name}", value, step)

    def flush(self) -> None:
        """Hand everything to the system."""
        self._file.flush()
        self._events.flush()

    def close(self) -> None:
        """Flush and close both."""
        self._file.close()
        self._events.close()


def read_metrics(lines: Path, kind: str | None = None) -> list[dict[str, Any]]:
    """The lines of a run, of one kind or all; a last line that was cut short is left out."""
    rows = []
    for text in lines.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(text)
        except ValueError:
            continue
        if kind is None or row["kind"] == kind:
            rows.append(row)
    return rows


def _drop_later(lines: Path, after: int) -> None:
    if not lines.exists():
        return
    kept = [row for row in read_metrics(lines) if row["step"] <= after]
    with replacing(lines) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")
