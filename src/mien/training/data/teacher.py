"""A published network as a teacher: its embeddings, and maps from inside it as hints.

Hints are the idea of Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015: a student that also learns what
the teacher sees half-way needs far fewer pictures at the beginning.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import BadInputError, UsageError
from mien.models import store
from mien.models.catalogue import model
from mien.models.openvino_import import import_openvino
from mien.models.runtime import normalize
from mien.records import Float32, Image


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a teacher says of `B` pictures.

    Attributes:
        embeddings: float32 `(B, D)`, L2-normalized.
        maps: float32 `(B, C, H, W)` for each hint.
    """

    embeddings: Float32
    maps: tuple[Float32, ...]


class Teacher:
    """An embedder of the catalogue that answers with its embedding and its hints.

    Args:
        name: the model's name in the catalogue.
        hints: names of operations in its graph whose outputs `(B, C, H, W)` are asked for.
        threads: of the CPU; 0 takes all.

    Attributes:
        name: the model's name.
        hints: as given.
        size: height and width in pixels of the pictures that it takes.
        dimension: length of an embedding.

    Raises:
        BadInputError: `hint_unknown`: the graph has no operation of this name.
    """

    def __init__(self, name: str, hints: Sequence[str] = (), *, threads: int = 1) -> None:
        entry = model(name)
        if entry.input.size is None or entry.dimension is None:
            raise BadInputError(
                f"teacher {name!r} is for {entry.task}, not for embedding; `mien models list` shows those that are",
                code="model_wrong_task",
            )
        self.name, self.size, self.dimension = entry.name, entry.input.size, entry.dimension
        self.hints = tuple(hints)
        self._takes = entry.input
        self._process = os.getpid()
        core = import_openvino().Core()
        files = {Path(file).suffix: content for file, content in store.read(entry).items()}
        graph = core.read_model(*[files[suffix] for suffix in (".xml", ".bin", ".onnx") if suffix in files])
        self._add(graph, hints)
        graph.reshape([-1, 3, *self.size])
        config: dict[str, Any] = {"ENABLE_CPU_PINNING": False, "INFERENCE_PRECISION_HINT": "f32"}
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        self._compiled = core.compile_model(graph, "CPU", config)

    def __call__(self, images: Image) -> Lesson:
        """The lesson on RGB uint8 pictures `(B, H, W, 3)` of the teacher's size.

        Raises:
            UsageError: `teacher_forked`: asked in another process than the one that made it.
        """
        if os.getpid() != self._process:
            # The runtime's threads stay behind when a loader's process is forked, and the first call waits for ever.
            raise UsageError(
                "a teacher cannot be asked from the processes of a loader; set loop.workers to 0", code="teacher_forked"
            )
        outputs = list(self._compiled([normalize(images, self._takes)]).values())
        embeddings, *maps = [np.array(output, np.float32) for output in outputs]
        embeddings = embeddings.reshape(len(images), -1)
        lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
        return Lesson(embeddings / np.maximum(lengths, np.finfo(np.float32).tiny), tuple(maps))

    def _add(self, graph: Any, hints: Sequence[str]) -> None:
        known = {operation.get_friendly_name() for operation in graph.get_ops()}
        for hint in hints:
            if hint not in known:
                raise BadInputError(
                    f"teacher {self.name!r} has no operation {hint!r} to take a hint from; look at its graph",
                    code="hint_unknown",
                )
            graph.add_outputs([(hint, 0)])
