"""MMIM: fusion that keeps what modalities tell of each other (arXiv 2109.00412).

An epoch is two passes over the clips: the first makes the bounds of mutual information tight, the
second trains the rest of the network against them.

Shapes: B the batch, L the rows of a modality, D its features per row, E the dimensions of entropy.
The blocks are those of the published code.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs, PaddedSequence
from lnln.layers.recurrent import pack
from lnln.models.interface import Network, Targets, Terms
from lnln.models.mmim.information import Bound, Contrast
from lnln.models.mmim.settings import MMIMSettings
from lnln.settings import Shapes, TrainSettings

UNCOUNTED = 2  # steps of an epoch before entropy counts


class Output(NamedTuple):
    """What `MMIM` says of a batch.

    Attributes
    ----------
    prediction : Tensor, [B]
    text : Tensor, [B, D]
    audio, vision : Tensor, [B, width]
    fused : Tensor, [B, fusion width]
    w : None
        The model makes no estimate of completeness.
    """

    prediction: Tensor
    text: Tensor
    audio: Tensor
    vision: Tensor
    fused: Tensor
    w: None = None


class RecurrentEncoder(nn.Module):
    """The last states of a bidirectional LSTM, and a linear layer."""

    def __init__(self, dim: int, state: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(dim, state, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(2 * state, width)

    def forward(self, sequence: PaddedSequence) -> Tensor:
        """Map sequences [B, L, D] to [B, width]."""
        _, (last, _) = self.lstm(pack(sequence.values, sequence.mask))  # [2, B, state]
        encoded: Tensor = self.linear(torch.cat([last[0], last[1]], dim=1))
        return encoded


class MMIM(Network):
    """Sentiment from a fusion whose input and output keep mutual information.

    The variants differ in what is computed of mutual information, see
    `lnln.models.mmim.settings.Switches`. A clip without audio or vision is one row of zeros.
    Batches that are accumulated count as so many batches: contrast and entropy compare the clips
    that go through the network together.

    Parameters
    ----------
    settings : MMIMSettings
    shapes : Shapes
    language : nn.Module, optional
        The language encoder, where it is trained along.
    """

    passes = ("bounds", "total")

    def __init__(
        self, settings: MMIMSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.weights = settings.loss
        text, width, fused = shapes.text_dim, settings.width, settings.fusion_width
        self.encode_vision = RecurrentEncoder(shapes.vision_dim, settings.state, width)
        self.encode_audio = RecurrentEncoder(shapes.audio_dim, settings.state, width)
        self.entropy_width = settings.entropy_width
        self.bound_vision, self.bound_audio = (  # each with text
            Bound(text, width, settings.entropy_width, settings.switches) for _ in range(2)
        )
        self.contrasts = nn.ModuleList(Contrast(x, fused) for x in (text, width, width))
        self.fusion = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(text + 2 * width, fused),
            nn.Tanh(),
            nn.Linear(fused, fused),
            nn.Tanh(),
        )
        self.regressor = nn.Linear(fused, 1)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1 and not name.startswith("language."):
                nn.init.xavier_normal_(parameter)
        self.forget()

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from incomplete inputs."""
        text = self.hidden_states(incomplete.text)[:, 0]  # of [CLS], [B, D]
        audio = self.encode_audio(incomplete.audio)
        vision = self.encode_vision(incomplete.vision)
        fused = self.fusion(torch.cat([text, audio, vision], dim=1))
        return Output(self.regressor(fused).squeeze(1), text, audio, vision, fused)

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the loss of each pass: -lld, and L_task + alpha L_nce - beta (lld + H)."""
        likelihood = torch.stack(
            [bound.likelihood(output.text, y) for bound, y in self.bounded(output)]
        ).sum()
        vectors = output.text, output.vision, output.audio
        contrast = torch.stack(
            [tell(x, output.fused) for tell, x in zip(self.contrasts, vectors, strict=True)]
        ).sum()
        entropy = self.entropy(output, targets.label)
        task = F.l1_loss(output.prediction, targets.label)
        information = likelihood + entropy
        return {
            "total": task
            + self.weights.contrast * contrast
            - self.weights.information * information,
            "bounds": -likelihood,
            "loss_task": task,
            "loss_contrast": contrast,
            "entropy": entropy,
        }

    def entropy(self, output: Output, label: Tensor) -> Tensor:
        """Estimate the entropy of vision and audio from this batch and the one before, a scalar.

        In the first two steps of an epoch it does not count, and is 0.
        """
        if self.steps < UNCOUNTED:
            return torch.zeros_like(output.prediction[0])
        labels = torch.cat([self.remembered_label, label])
        return torch.stack(
            [
                bound.entropy(torch.cat([memory, bound.project(y)]), labels)
                for (bound, y), memory in zip(self.bounded(output), self.remembered, strict=True)
            ]
        ).sum()

    def bounded(self, output: Output) -> list[tuple[Bound, Tensor]]:
        """Pair each bound with the vectors whose information on language it bounds."""
        return [(self.bound_vision, output.vision), (self.bound_audio, output.audio)]

    def parameter_groups(self, training: TrainSettings) -> list[dict[str, Any]]:
        """Let the first pass move the bounds, and the second one everything else."""
        bounds = [*self.bound_vision.parameters(), *self.bound_audio.parameters()]
        own, *others = super().parameter_groups(training)
        own["params"] = [p for p in own["params"] if p not in set(bounds)]
        first = {"params": bounds, "lr": training.learning_rate, "minimises": "bounds"}
        return [first, own, *others]

    def forget(self) -> None:
        """Empty the memory of the batch before."""
        like = self.regressor.weight
        self.steps = 0
        self.remembered = like.new_empty(2, 0, self.entropy_width)  # of vision, of audio
        self.remembered_label = like.new_empty(0)

    def before_training(self, labels: Tensor) -> None:
        """Start without a memory."""
        self.forget()

    @torch.no_grad()
    def after_step(self, output: Output, targets: Targets) -> None:
        """Remember the batch, as the network was when it saw it."""
        self.remembered = torch.stack([bound.project(y) for bound, y in self.bounded(output)])
        self.remembered_label = targets.label
        self.steps += 1

    def after_epoch(self, epoch: int) -> None:
        """Start the next epoch without a memory."""
        self.forget()

    def training_state(self) -> dict[str, Tensor]:
        """Return the memory, and how many steps of the epoch were taken."""
        return {
            "remembered": self.remembered,
            "remembered_label": self.remembered_label,
            "steps": torch.tensor(self.steps),
        }

    def load_training_state(self, state: dict[str, Tensor]) -> None:
        """Take up a `training_state`."""
        self.remembered, self.remembered_label = state["remembered"], state["remembered_label"]
        self.steps = int(state["steps"])


MODEL = MMIM
