"""Language alone: what a multimodal model has to beat where language is dominant.

Shapes: B the batch, L the tokens of a sentence, D the width of a hidden state.
"""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs
from lnln.layers.pooled import average, head
from lnln.models.interface import Network, Targets, Terms
from lnln.models.text_only.settings import TextOnlySettings
from lnln.settings import Shapes


class Output(NamedTuple):
    """Predictions, [B]; the model makes no estimate of completeness."""

    prediction: Tensor
    w: None = None


class TextOnly(Network):
    """The mean of a sentence's hidden states, [UNK] included, through one hidden layer."""

    def __init__(
        self, settings: TextOnlySettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.head = head(shapes.text_dim, settings.width, settings.dropout)

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from the words that are left."""
        states = self.hidden_states(incomplete.text)  # [B, L, D]
        mean = average(states, incomplete.text.mask)  # [B, D]
        return Output(self.head(mean).squeeze(1))

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the squared error."""
        return {"total": F.mse_loss(output.prediction, targets.label)}


MODEL = TextOnly
