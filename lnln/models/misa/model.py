"""MISA: every modality once in a space of its own and once in a shared one (arXiv 2005.03545).

Shapes: B the batch, L the rows of a modality, D its features per row, d the width. Modalities
stand in the order text, vision, audio. The blocks are those of the published code.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs, PaddedSequence
from lnln.layers.recurrent import pack
from lnln.models.interface import Network, Targets, Terms
from lnln.models.misa import losses
from lnln.models.misa.settings import MISASettings
from lnln.settings import Shapes

HEADS = 2
FEED_FORWARD = 2048
FUSION_DROPOUT = 0.1


class Output(NamedTuple):
    """What `MISA` says of a batch.

    Attributes
    ----------
    prediction : Tensor, [B]
    w : None
        The model makes no estimate of completeness.
    projected, private, shared, reconstructed : Tensor, [3, B, d]
        The modalities' vectors, what is particular and what is common to them, and the vectors as
        the two together tell them.
    """

    prediction: Tensor
    w: None
    projected: Tensor
    private: Tensor
    shared: Tensor
    reconstructed: Tensor


class RecurrentEncoder(nn.Module):
    """Two bidirectional LSTMs with a LayerNorm between them; the last states of both are read."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.first = nn.LSTM(dim, dim, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(2 * dim)
        self.second = nn.LSTM(2 * dim, dim, batch_first=True, bidirectional=True)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Map [B, L, D] to [B, 4 D]: first and second LSTM forwards, then both backwards."""
        outputs, (first, _) = self.first(pack(values, mask))
        outputs = outputs._replace(data=self.norm(outputs.data))
        _, (second, _) = self.second(outputs)
        last = torch.stack([first, second], dim=1)  # [direction, LSTM, B, D]
        return last.permute(2, 0, 1, 3).flatten(1)


class MISA(Network):
    """Sentiment from modality-invariant and modality-specific representations.

    The variants differ in how many rows of audio and vision are read, see
    `lnln.models.misa.settings.Switches`. A modality without rows is one row of zeros.

    Parameters
    ----------
    settings : MISASettings
    shapes : Shapes
    language : nn.Module, optional
        The language encoder, where it is trained along.
    """

    def __init__(
        self, settings: MISASettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.switches, self.weights = settings.switches, settings.loss
        width = settings.width
        self.encode_vision = RecurrentEncoder(shapes.vision_dim)
        self.encode_audio = RecurrentEncoder(shapes.audio_dim)
        self.project = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, width), nn.ReLU(), nn.LayerNorm(width))
            for dim in (shapes.text_dim, 4 * shapes.vision_dim, 4 * shapes.audio_dim)
        )
        self.particular = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.common = nn.Linear(width, width)
        self.decode = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.fusion = nn.TransformerEncoderLayer(
            width, HEADS, FEED_FORWARD, FUSION_DROPOUT, batch_first=True
        )
        self.head = nn.Sequential(
            nn.Linear(6 * width, 3 * width),
            nn.Dropout(settings.dropout),
            nn.ReLU(),
            nn.Linear(3 * width, 1),
        )

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from incomplete inputs."""
        # 1. Every modality as a vector.
        text, audio, vision = incomplete
        if self.switches.lengths == "text":
            audio, vision = (as_long_as(text.mask, sequence) for sequence in (audio, vision))
        utterances = (
            self.mean_state(text),
            self.encode_vision(vision.values, vision.mask),
            self.encode_audio(audio.values, audio.mask),
        )
        projected = each(self.project, utterances)

        # 2. What is particular to it, what it shares, and whether the two together tell it.
        private = each(self.particular, projected).sigmoid()
        shared = self.common(projected).sigmoid()
        reconstructed = each(self.decode, private + shared)

        # 3. Fusion: the six vectors are a sequence for one Transformer layer.
        fused = self.fusion(torch.cat([private, shared]).transpose(0, 1))  # [B, 6, d]
        prediction = self.head(fused.flatten(1)).squeeze(1)
        return Output(prediction, None, projected, private, shared, reconstructed)

    def mean_state(self, text: PaddedSequence) -> Tensor:
        """Average the hidden states of a sentence's tokens, [B, D]."""
        states = torch.where(text.mask[:, :, None], self.hidden_states(text), 0)
        return states.sum(dim=1) / text.mask.sum(dim=1, keepdim=True).clamp(min=1)

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute L = L_task + w_diff L_diff + w_sim L_sim + w_recon L_recon."""
        task = F.mse_loss(output.prediction, targets.label)
        difference = losses.difference(output.private, output.shared)
        similarity = losses.similarity(output.shared)
        reconstruction = F.mse_loss(output.reconstructed, output.projected)
        total = (
            task
            + self.weights.difference * difference
            + self.weights.similarity * similarity
            + self.weights.reconstruction * reconstruction
        )
        return {
            "total": total,
            "loss_task": task,
            "loss_difference": difference,
            "loss_similarity": similarity,
            "loss_reconstruction": reconstruction,
        }


def each(layers: nn.ModuleList, vectors: Sequence[Tensor] | Tensor) -> Tensor:
    """Map the vectors of three modalities, each by a layer of its own, to [3, B, d]."""
    return torch.stack([layer(x) for layer, x in zip(layers, vectors, strict=True)])


def as_long_as(text: Tensor, sequence: PaddedSequence) -> PaddedSequence:
    """Read as many rows of audio or vision as the text has tokens, padding after the last one.

    Parameters
    ----------
    text : Tensor, [B, L] bool
        The text's mask.
    sequence : PaddedSequence
    """
    rows = torch.arange(sequence.mask.shape[1], device=text.device)
    return sequence._replace(mask=rows < text.sum(dim=1, keepdim=True))


MODEL = MISA
