"""Late fusion: language, voice and face each answer alone, and the answers are weighed.

What fusion inside a network adds can be told only beside it. Shapes: B the batch, L the rows of a
modality, D the features of a row.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs
from lnln.layers.pooled import average, average_and_deviation, head
from lnln.models.interface import Network, Targets, Terms
from lnln.models.late_fusion.settings import LateFusionSettings
from lnln.settings import Shapes


class Output(NamedTuple):
    """What late fusion says of a batch.

    Attributes
    ----------
    prediction : Tensor, [B]
    w : None
        The model makes no estimate of completeness.
    alone : Tensor, [B, 3]
        The answers of language, audio and vision.
    present : Tensor, [B, 3] bool
        Of which modalities anything was observed.
    """

    prediction: Tensor
    w: None
    alone: Tensor
    present: Tensor


class LateFusion(Network):
    """The weighted mean of three answers; a modality that is absent has no weight.

    The weights are a softmax of one learned number per modality.
    """

    def __init__(
        self, settings: LateFusionSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        inputs = (shapes.text_dim, 2 * shapes.audio_dim, 2 * shapes.vision_dim)
        self.heads = nn.ModuleList(
            head(count, settings.width, settings.dropout) for count in inputs
        )
        self.importance = nn.Parameter(torch.zeros(3))

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Answer from every modality, and weigh the answers of those that are present."""
        text, audio, vision = incomplete
        pooled = (
            average(self.hidden_states(text), text.mask),  # [B, D]
            average_and_deviation(audio.values, audio.seen),  # [B, 2 D]
            average_and_deviation(vision.values, vision.seen),
        )
        answers = [head(x) for head, x in zip(self.heads, pooled, strict=True)]
        alone = torch.cat(answers, dim=1)  # [B, 3]
        present = torch.stack([sequence.seen.any(dim=1) for sequence in incomplete], dim=1)
        # With nothing there at all the weights are those of complete clips.
        counted = present | ~present.any(dim=1, keepdim=True)
        weights = self.importance.expand_as(alone).masked_fill(~counted, -torch.inf).softmax(dim=1)
        return Output((weights * alone).sum(dim=1), None, alone, present)

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the squared error of the weighted answer, and of each where it could be given."""
        error = F.mse_loss(output.prediction, targets.label)
        single = (output.alone - targets.label[:, None]) ** 2  # [B, 3]
        alone = (single * output.present).sum() / output.present.sum().clamp(min=1)
        return {"total": error + alone, "loss_prediction": error, "loss_alone": alone}


MODEL = LateFusion
