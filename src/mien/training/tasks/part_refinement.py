"""PCB with refined part pooling, its three stages in one run.

Sun et al., "Beyond Part Models: Person Retrieval with Refined Part Pooling", ECCV 2018, section 3.3 and algorithm 1.
"""

from __future__ import annotations

from torch import Tensor, nn

from mien.errors import BadInputError
from mien.training.data.input_format import InputFormat
from mien.training.data.loader import Batch
from mien.training.data.pictures import Samples
from mien.training.networks.pcb import PCB, Stage
from mien.training.tasks.identification import Identification


class PartRefinement(nn.Module):
    """The task of a recipe whose network is `PCB` with `refined = true`, in one process.

    Between the stages nothing but the pooling and what is frozen changes, so the identity classifiers that the part
    classifier learns from are those of the first stage. Measure at the end: an averaged network pools as in the last
    stage from the start.

    Args:
        network: PCB with its part classifier.
        data: the samples, with the label `identity`.
        input_format: makes pictures the network's input.
        uniform_until, induce_until: shares of the run at which the first and the second stage end; the paper has 60,
            10 and 10 epochs.
        smoothing: as in `mien.training.tasks.identification.Identification`.

    Raises:
        BadInputError: `recipe_value`: the stages do not follow each other, or the network has no part classifier.
    """

    def __init__(
        self,
        network: nn.Module,
        data: Samples,
        input_format: InputFormat,
        uniform_until: float = 0.75,
        induce_until: float = 0.875,
        smoothing: float = 0.1,
    ) -> None:
        super().__init__()
        if not isinstance(network, PCB) or network.stage == "uniform":
            raise BadInputError(
                "task: part refinement needs mien.training.networks.pcb.PCB with refined = true", code="recipe_value"
            )
        if not 0 < uniform_until < induce_until < 1:
            raise BadInputError(
                f"task: uniform_until = {uniform_until} and induce_until = {induce_until}; the first must lie above "
                "0 and below the second, that below 1",
                code="recipe_value",
            )
        self.identification = Identification(network, data, input_format, smoothing=smoothing, triplet=0.0)
        self.uniform_until, self.induce_until = uniform_until, induce_until

    @property
    def network(self) -> PCB:
        """The network as given."""
        network = self.identification.network
        assert isinstance(network, PCB)
        return network

    def forward(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """As `Identification`, in the stage that is due at this share of the run."""
        stage = self.stage_at(progress)
        if stage != self.network.stage:
            self.network.enter(stage)
            self.identification.classifiers.requires_grad_(stage != "induce")
            self.train(self.training)
        return self.identification(batch, progress)

    def stage_at(self, progress: float) -> Stage:
        """The stage at a share of the run in [0, 1)."""
        if progress < self.uniform_until:
            return "uniform"
        return "induce" if progress < self.induce_until else "refine"

    def train(self, mode: bool = True) -> PartRefinement:
        """Training mode; what is frozen keeps its running means too."""
        super().train(mode)
        if self.network.stage == "induce":
            self.identification.classifiers.eval()
        return self
