"""The face alone: what the words add can be told only beside it.

Shapes: B the batch, L the rows of a clip, D the features of a row.
"""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs
from lnln.layers.pooled import average_and_deviation, head
from lnln.models.interface import Network, Targets, Terms
from lnln.models.vision_only.settings import VisionOnlySettings
from lnln.settings import Shapes


class Output(NamedTuple):
    """Predictions, [B]; the model makes no estimate of completeness."""

    prediction: Tensor
    w: None = None


class VisionOnly(Network):
    """Mean and deviation over the observed rows of vision, through one hidden layer."""

    reads_text = False

    def __init__(
        self, settings: VisionOnlySettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.head = head(2 * shapes.vision_dim, settings.width, settings.dropout)

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from the rows that are left."""
        pooled = average_and_deviation(incomplete.vision.values, incomplete.vision.seen)  # [B, 2 D]
        return Output(self.head(pooled).squeeze(1))

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the squared error."""
        return {"total": F.mse_loss(output.prediction, targets.label)}


MODEL = VisionOnly
