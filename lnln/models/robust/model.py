"""Our own network: each modality answers from what is left of it, and present answers are weighed.

Language, voice and face each give an answer, with a precision p that is learned. They are taken as
measurements of one quantity and averaged with what is known beforehand, the usual label:
prediction = label + sum(p * answer) / (1 + sum(p)). Sums are over the modalities of which something
was observed; with nothing observed the prediction is the usual label.

Shapes: B the batch, L the rows of a modality, D the features of a row.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from contracts.schemas import MODALITIES
from lnln.data.batches import Inputs, PaddedSequence
from lnln.layers.pooled import average
from lnln.models.interface import Network, Targets, Terms
from lnln.models.robust.evidence import Rows, Standardise
from lnln.models.robust.settings import RobustSettings
from lnln.settings import Shapes, TrainSettings

# Before training words are relied on as much as on the usual label, voice and face less.
# Logarithms of p; tried on validation.
LOG_PRECISIONS = (0.0, -2.0, -2.0)


class Output(NamedTuple):
    """Predictions, [B]; the model makes no estimate of completeness."""

    prediction: Tensor
    w: None = None


class Robust(Network):
    """Precision-weighted answers of the three modalities.

    Attributes
    ----------
    label : Tensor, scalar
        The usual label: what is answered where nothing is observed. Learned, from the median of
        the training split.
    """

    def __init__(
        self, settings: RobustSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.rate, self.decay, gone = settings.rate, settings.decay, settings.ablate
        widths = {m: getattr(shapes, f"{m}_dim") for m in MODALITIES}
        self.standardise = nn.ModuleDict({m: Standardise(widths[m]) for m in MODALITIES})
        self.lines = nn.ModuleDict({m: flat(widths[m]) for m in MODALITIES})
        read = [m for m in MODALITIES if m != "text" and "rows" not in gone]
        self.rows = nn.ModuleDict(
            {m: Rows(widths[m], settings.width, settings.heads) for m in read}
        )
        self.weighs = "precision" not in gone
        if self.weighs:
            self.log_precisions = nn.Parameter(torch.tensor(LOG_PRECISIONS))
        self.label = nn.Parameter(torch.zeros(()))

    def before_training(self, labels: Tensor) -> None:
        """Start from the median label."""
        with torch.no_grad():
            self.label.copy_(labels.median())

    def parameter_groups(self, training: TrainSettings) -> list[dict[str, Any]]:
        """Let the network, which is small and starts at nothing, learn faster than others.

        Only the lines decay by a weight of their own: they have as many weights as features.
        """
        own, *language = super().parameter_groups(training)
        rate = training.learning_rate * self.rate
        lines = [line.weight for line in self.lines.values()]
        rest = [p for p in own["params"] if not any(p is line for line in lines)]
        return [
            {"params": lines, "lr": rate, "weight_decay": self.decay},
            {"params": rest, "lr": rate},
            *language,
        ]

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Let every modality answer, and weigh the answers."""
        heard = [self.hear(m, s) for m, s in zip(MODALITIES, incomplete, strict=True)]
        answers, present = (torch.stack(parts, dim=1) for parts in zip(*heard, strict=True))
        if not self.weighs:
            return Output(self.label + answers.sum(dim=1))
        precisions = present * self.log_precisions.exp()  # [B, 3]
        together = (precisions * answers).sum(dim=1) / (1 + precisions.sum(dim=1))
        return Output(self.label + together)

    def hear(self, modality: str, sequence: PaddedSequence) -> tuple[Tensor, Tensor]:
        """Return the answer of one modality, [B], and whether anything was observed, [B] bool.

        An answer is what the modality adds to the usual label.
        """
        seen, values = sequence.seen & sequence.mask, sequence.values
        if modality == "text":
            seen, values = seen & words(sequence.mask), self.hidden_states(sequence)
        mean, present = average(values, seen), seen.any(dim=1)
        answer = self.lines[modality](self.standardise[modality](mean, present)).squeeze(1)
        if modality in self.rows:
            answer = answer + self.rows[modality](values, seen)
        return torch.where(present, answer, 0), present

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the Huber loss of the prediction."""
        return {"total": F.smooth_l1_loss(output.prediction, targets.label)}


def flat(features: int) -> nn.Linear:
    """Make a line that answers 0 before it has learned anything."""
    line = nn.Linear(features, 1)
    nn.init.zeros_(line.weight)
    nn.init.zeros_(line.bias)
    return line


def words(mask: Tensor) -> Tensor:
    """Leave out a sentence's first and last token, [CLS] and [SEP], [B, L] bool."""
    places = torch.arange(mask.shape[1], device=mask.device)
    last = mask.sum(dim=1, keepdim=True) - 1
    return mask & (places > 0) & (places < last)


MODEL = Robust
