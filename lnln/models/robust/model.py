"""Our own network: a line through what is left of each modality, weighed by how much is left.

Language, voice and face each give an answer and a precision. The answers are combined as
independent measurements of one quantity are, with what is known beforehand, the usual label, as
one more: prediction = label + sum(precision * answer) / (1 + sum(precision)). What was not observed
has no precision, and with nothing observed the prediction is the usual label.

Shapes: B the batch, L the rows of a modality, D the features of a row.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from contracts.schemas import MODALITIES
from lnln.data.batches import Inputs, PaddedSequence
from lnln.layers.pooled import average, average_and_deviation
from lnln.models.interface import Network, Targets, Terms
from lnln.models.robust.evidence import Precision, Rows, Standardise
from lnln.models.robust.settings import RobustSettings
from lnln.settings import Shapes, TrainSettings


class Output(NamedTuple):
    """What `Robust` says of a batch.

    Attributes
    ----------
    prediction : Tensor, [B]
    w : None
        There is no estimate of completeness.
    answers, precisions : Tensor, [B, 3]
        Of language, audio and vision; an answer is what the modality adds to the usual label.
    """

    prediction: Tensor
    w: None
    answers: Tensor
    precisions: Tensor


class Robust(Network):
    """Precision-weighted answers of the three modalities.

    Attributes
    ----------
    label : Tensor, scalar
        The usual label: what is answered where nothing is observed. Learned, from the median of
        the training split.
    head_weight : Tensor, [D] and head_bias : Tensor, scalar
        A head of the language encoder that was trained elsewhere, see `set_language_head`; zeros
        where there is none.
    """

    head_weight: Tensor
    head_bias: Tensor

    def __init__(
        self, settings: RobustSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.short_cut_rate, self.rows_rate = settings.short_cut_rate, settings.rows_rate
        self.deviation = "deviation" not in settings.ablate
        widths = {m: getattr(shapes, f"{m}_dim") for m in MODALITIES}
        pooled = {m: w * (1 + (self.deviation and m != "text")) for m, w in widths.items()}
        self.standardise = nn.ModuleDict({m: Standardise(pooled[m]) for m in MODALITIES})
        self.dropout = nn.Dropout(settings.dropout)
        self.lines = nn.ModuleDict({m: nn.Linear(pooled[m], 1) for m in MODALITIES})
        for line in self.lines.values():
            nn.init.zeros_(line.weight)
            nn.init.zeros_(line.bias)
        self.rows = nn.ModuleDict(
            {
                m: Rows(widths[m], settings.width, settings.heads, settings.dropout)
                for m in ("audio", "vision")
                if "rows" not in settings.ablate
            }
        )
        self.precisions = nn.ModuleDict(
            {
                m: Precision("shares" not in settings.ablate)
                for m in MODALITIES
                if "precision" not in settings.ablate
            }
        )
        self.label = nn.Parameter(torch.zeros(()))
        self.register_buffer("head_weight", torch.zeros(shapes.text_dim))
        self.register_buffer("head_bias", torch.zeros(()))

    def set_language_head(self, weight: Tensor, bias: float) -> None:
        """Start from a head that reads sentiment from the mean of a sentence's hidden states.

        Before training, of complete sentences whose voice and face are absent, the prediction is
        then what the head says.

        Parameters
        ----------
        weight : Tensor, [D]
        bias : float
            Both in units of the label.
        """
        self.head_weight.copy_(weight)
        self.head_bias.fill_(bias)

    def before_training(self, labels: Tensor) -> None:
        """Start from the median label."""
        with torch.no_grad():
            self.label.copy_(labels.median())

    def parameter_groups(self, training: TrainSettings) -> list[dict[str, Any]]:
        """Let lines and precisions, which are few and start at nothing, learn faster."""
        groups = super().parameter_groups(training)
        rows = {id(parameter) for parameter in self.rows.parameters()}
        own, language = groups[0]["params"], groups[1:]
        base = training.learning_rate
        few = [parameter for parameter in own if id(parameter) not in rows]
        groups = [{"params": few, "lr": base * self.short_cut_rate}, *language]
        if rows:
            groups.append({"params": [*self.rows.parameters()], "lr": base * self.rows_rate})
        return groups

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Let every modality answer, and weigh the answers."""
        heard = [self.hear(m, s) for m, s in zip(MODALITIES, incomplete, strict=True)]
        answers, precisions = (torch.stack(parts, dim=1) for parts in zip(*heard, strict=True))
        combined = (precisions * answers).sum(dim=1)
        if self.precisions:
            combined = combined / (1 + precisions.sum(dim=1))
        return Output(self.label + combined, None, answers, precisions)

    def hear(self, modality: str, sequence: PaddedSequence) -> tuple[Tensor, Tensor]:
        """Return the answer of one modality and its precision, each [B]."""
        seen = sequence.seen & sequence.mask
        if modality == "text":
            values, special = self.hidden_states(sequence), first_and_last(sequence.mask)
            seen = seen & ~special
            pooled = average(values, seen | special)
            count = (sequence.mask & ~special).sum(dim=1)
        else:
            values, count = sequence.values, sequence.mask.sum(dim=1)
            pool = average_and_deviation if self.deviation else average
            pooled = pool(values, seen)
        left = seen.sum(dim=1)
        present = left > 0
        z = self.standardise[modality](pooled, present)
        answer = self.lines[modality](self.dropout(z)).squeeze(1)
        if modality in self.rows:
            answer = answer + self.rows[modality](values, seen)
        if modality == "text":
            answer = answer + self._known(pooled)
        answer = torch.where(present, answer, 0)
        if not self.precisions:
            return answer, present.to(answer.dtype)
        return answer, self.precisions[modality](left, count)

    def _known(self, mean: Tensor) -> Tensor:
        """What the language head says beyond the usual label, [B]; 0 where there is no head.

        Twice as much, since a precision of 1 halves it at the start.
        """
        said = mean @ self.head_weight + self.head_bias - self.label
        said = torch.where(self.head_weight.any(), said, 0)
        return 2 * said if self.precisions else said

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the absolute error."""
        return {"total": F.l1_loss(output.prediction, targets.label)}


def first_and_last(mask: Tensor) -> Tensor:
    """Find a sentence's first and last token, [CLS] and [SEP], [B, L] bool."""
    places = torch.arange(mask.shape[1], device=mask.device)
    last = mask.sum(dim=1, keepdim=True) - 1
    return mask & ((places == 0) | (places == last))


MODEL = Robust
