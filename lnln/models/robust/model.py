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
from lnln.data.language import RatingHead
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
    alone : Tensor, [B, 3]
        What is predicted from language, audio or vision alone.
    present : Tensor, [B, 3] bool
        Of which modalities anything was observed.
    """

    prediction: Tensor
    w: None
    alone: Tensor
    present: Tensor


class Robust(Network):
    """Precision-weighted answers of the three modalities.

    Attributes
    ----------
    label : Tensor, scalar
        The usual label: what is answered where nothing is observed. Learned, from the median of
        the training split.
    head_weight : Tensor, [D] and head_bias : Tensor, scalar
        The head of a language encoder that was tuned on ratings, see `take_head`; zeros where
        there is none.
    """

    head_weight: Tensor
    head_bias: Tensor

    def __init__(
        self, settings: RobustSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.rate, self.decay, gone = settings.rate, settings.decay, settings.ablate
        self.weight_alone = 0.0 if "alone" in gone else settings.alone
        self.takes_head = "head" not in gone
        self.deviation = "deviation" not in gone
        widths = {m: getattr(shapes, f"{m}_dim") for m in MODALITIES}
        pooled = {m: w * (1 + (self.deviation and m != "text")) for m, w in widths.items()}
        self.standardise = nn.ModuleDict({m: Standardise(pooled[m]) for m in MODALITIES})
        self.lines = nn.ModuleDict({m: nn.Linear(pooled[m], 1) for m in MODALITIES})
        for line in self.lines.values():
            nn.init.zeros_(line.weight)
            nn.init.zeros_(line.bias)
        read = () if "rows" in gone else ("audio", "vision")
        self.rows = nn.ModuleDict(
            {m: Rows(widths[m], settings.width, settings.heads) for m in read}
        )
        weighed = () if "precision" in gone else MODALITIES
        self.precisions = nn.ModuleDict({m: Precision("shares" not in gone) for m in weighed})
        self.label = nn.Parameter(torch.zeros(()))
        self.register_buffer("head_weight", torch.zeros(shapes.text_dim))
        self.register_buffer("head_bias", torch.zeros(()))

    def take_head(self, head: RatingHead) -> None:
        """Start from a head that rates sentences.

        Before training, the prediction for a whole sentence without voice and face is then what the
        head says.
        """
        if self.takes_head:
            self.head_weight.copy_(head.weight)
            self.head_bias.fill_(head.bias)

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
        answers, precisions = (torch.stack(parts, dim=1) for parts in zip(*heard, strict=True))
        evidence = precisions * answers
        together, alone = evidence.sum(dim=1), evidence
        if self.precisions:
            together = together / (1 + precisions.sum(dim=1))
            alone = alone / (1 + precisions)
        return Output(self.label + together, None, self.label + alone, precisions > 0)

    def hear(self, modality: str, sequence: PaddedSequence) -> tuple[Tensor, Tensor]:
        """Return the answer of one modality and its precision, each [B].

        An answer is what the modality adds to the usual label.
        """
        seen, rows, values = sequence.seen & sequence.mask, sequence.mask, sequence.values
        if modality == "text":
            values, rows = self.hidden_states(sequence), words(rows)
            seen = seen & rows
        spread = self.deviation and modality != "text"
        pooled = (average_and_deviation if spread else average)(values, seen)
        count = seen.sum(dim=1)
        present = count > 0
        answer = self.lines[modality](self.standardise[modality](pooled, present)).squeeze(1)
        if modality in self.rows:
            answer = answer + self.rows[modality](values, seen)
        if modality == "text":
            answer = answer + self._rated(pooled)
        answer = torch.where(present, answer, 0)
        if not self.precisions:
            return answer, present.to(answer.dtype)
        return answer, self.precisions[modality](count, rows.sum(dim=1))

    def _rated(self, mean: Tensor) -> Tensor:
        """What the language head says beyond the usual label, [B]; 0 where there is no head.

        Twice as much, since a precision of 1 halves it at the start.
        """
        said = mean @ self.head_weight + self.head_bias - self.label
        said = torch.where(self.head_weight.any(), said, 0)
        return 2 * said if self.precisions else said

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute Huber losses: of the prediction, and of what each modality says alone."""
        error = F.smooth_l1_loss(output.prediction, targets.label)
        label = targets.label[:, None].expand_as(output.alone)
        single = F.smooth_l1_loss(output.alone, label, reduction="none")  # [B, 3]
        alone = (single * output.present).mean()
        return {
            "total": error + self.weight_alone * alone,
            "loss_prediction": error,
            "loss_alone": alone,
        }


def words(mask: Tensor) -> Tensor:
    """Leave out a sentence's first and last token, [CLS] and [SEP], [B, L] bool."""
    places = torch.arange(mask.shape[1], device=mask.device)
    last = mask.sum(dim=1, keepdim=True) - 1
    return mask & (places > 0) & (places < last)


MODEL = Robust
