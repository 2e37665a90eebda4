"""`mien evaluate tracking --video`: people found and followed in a clip, compared with its ground truth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluation.motchallenge import write_results
from mien.evaluation.tracking import evaluate as evaluate_files
from mien.media.video import open_video
from mien.records import Float32
from mien.scene.watcher import Watcher


def evaluate(
    video: Path,
    truth: Path,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Watches the people of a clip from end to end and measures.

    Args:
        video: the clip; its first frame has the number 1 in the truth.
        truth: ground truth in the MOTChallenge's form, in the clip's pixels.
        progress: called with the frames done and their number, 0 where that is not known.

    Returns:
        The contract's row of `evaluate tracking`, and `frames_per_second` from the first frame's decoding to the
        last frame's tracks, `tracks`, and `extractions`, of looks.

    Raises:
        BadInputError: the clip or the truth cannot be read.
    """
    frames: list[int] = []
    ids: list[int] = []
    boxes: list[Float32] = []
    scores: list[float] = []
    watcher = Watcher(people=True)
    with open_video(video) as stream:
        for moment in watcher.watch(stream):
            for person in [] if moment.is_end else moment.people:
                frames.append(moment.frame.index + 1)
                ids.append(person.track_id or 0)
                boxes.append(person.box)
                scores.append(person.score)
            progress(moment.frame.index + 1, stream.frame_count or 0)
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        file = Path(folder) / "tracks.txt"
        write_results(file, np.array(frames), np.array(ids), np.array(boxes).reshape(-1, 4), np.array(scores))
        figures = evaluate_files([truth], [file])
    summary = watcher.summary.to_dict()
    figures = {name: value for name, value in figures.items() if name != "sequences"}
    return figures | {
        "frames_per_second": summary["fps"],
        "tracks": summary["people"],
        "extractions": summary["extractions"],
    }
