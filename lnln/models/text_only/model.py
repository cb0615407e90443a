"""Language alone: what a multimodal model has to beat where language is dominant.

Shapes: B the batch, L the tokens of a sentence, D the width of a hidden state.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs
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
        self.head = nn.Sequential(
            nn.LayerNorm(shapes.text_dim),
            nn.Linear(shapes.text_dim, settings.width),
            nn.GELU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.width, 1),
        )

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from the words that are left."""
        states, mask = self.hidden_states(incomplete.text), incomplete.text.mask  # [B, L, D]
        states = torch.where(mask[:, :, None], states, 0)
        mean = states.sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)  # [B, D]
        return Output(self.head(mean).squeeze(1))

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the squared error."""
        return {"total": F.mse_loss(output.prediction, targets.label)}


MODEL = TextOnly
