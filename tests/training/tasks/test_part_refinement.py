from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from mien.errors import BadInputError  # noqa: E402
from mien.training.data.input_format import InputFormat  # noqa: E402
from mien.training.networks.pcb import PCB  # noqa: E402
from mien.training.tasks.part_refinement import PartRefinement  # noqa: E402

FORMAT = InputFormat(height=48, width=32)


class ThreePeople:
    labels = {"identity": np.array([0, 0, 1, 1, 2, 2])}  # noqa: RUF012 - what `Samples` asks for
    forbidden = None


def one_step(task: PartRefinement, progress: float) -> set[str]:
    """Names of what a training step changes."""
    before = {name: value.clone() for name, value in task.state_dict().items()}
    batch = {
        "image": torch.randint(0, 256, (4, 48, 32, 3), dtype=torch.uint8),
        "identity": torch.tensor([0, 0, 1, 2]),
    }
    optimizer = torch.optim.AdamW(task.parameters(), 1e-3)
    task(batch, progress)["loss"].backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return {name for name, value in task.state_dict().items() if not torch.equal(value, before[name])}


def test_each_stage_trains_what_it_should() -> None:
    torch.manual_seed(0)
    task = PartRefinement(PCB(parts=3, refined=True), ThreePeople(), FORMAT).train()  # type: ignore[arg-type]
    part = "identification.network.part_classifier.weight"
    uniform = one_step(task, 0.0)
    assert part not in uniform
    assert {"identification.network.reductions.0.0.weight", "identification.classifiers.0.1.weight"} <= uniform
    induce = one_step(task, 0.8)
    assert induce == {part}
    task.train()  # as after an evaluation
    assert one_step(task, 0.81) == {part}
    refine = one_step(task, 0.9)
    assert {part, "identification.network.reductions.0.0.weight", "identification.classifiers.0.1.weight"} <= refine
    assert task.network.stage == "refine"


@pytest.mark.parametrize("limits", [(0.0, 0.5), (0.5, 0.5), (0.9, 1.0)])
def test_stages_must_follow_each_other(limits: tuple[float, float]) -> None:
    with pytest.raises(BadInputError) as raised:
        PartRefinement(PCB(parts=3, refined=True), ThreePeople(), FORMAT, *limits)  # type: ignore[arg-type]
    assert raised.value.code == "recipe_value"


def test_network_without_part_classifier_is_refused() -> None:
    with pytest.raises(BadInputError, match="refined = true"):
        PartRefinement(PCB(parts=3), ThreePeople(), FORMAT)  # type: ignore[arg-type]
