"""Four regression heads: one of all modalities together, and one of each alone.

Self-MM (arXiv 2102.04830) and TETFN (Pattern Recognition, 2023) end in them; the features of the
heads are what `lnln.layers.unimodal_labels` generates labels from.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Widths(NamedTuple):
    """How wide something is for each of the heads."""

    multimodal: int
    text: int
    audio: int
    vision: int


class Dropouts(NamedTuple):
    """Probabilities of dropout of what each of the heads reads."""

    multimodal: float
    text: float
    audio: float
    vision: float


class Output(NamedTuple):
    """What the heads say of a batch.

    Attributes
    ----------
    prediction : Tensor, [B]
        Of the multimodal head.
    unimodal : Tensor, [B, 3]
        Predictions of the heads of language, audio and vision.
    features : Tensor, [B, F]
        Features of the four heads, side by side, the multimodal one first.
    w : None
        There is no estimate of completeness.
    """

    prediction: Tensor
    unimodal: Tensor
    features: Tensor
    w: None = None


class UnimodalHeads(nn.Module):
    """The four heads.

    Parameters
    ----------
    inputs : Widths
        Of what the heads read.
    features : Widths
        Of the heads' features.
    dropouts : Dropouts
    """

    def __init__(self, inputs: Widths, features: Widths, dropouts: Dropouts) -> None:
        super().__init__()
        self.multimodal, self.text, self.audio, self.vision = (
            Head(*sizes) for sizes in zip(inputs, features, dropouts, strict=True)
        )

    def forward(self, multimodal: Tensor, text: Tensor, audio: Tensor, vision: Tensor) -> Output:
        """Predict from what each head reads, [B, ...]."""
        predictions, features = zip(
            self.multimodal(multimodal),
            self.text(text),
            self.audio(audio),
            self.vision(vision),
            strict=True,
        )
        return Output(predictions[0], torch.stack(predictions[1:], 1), torch.cat(features, 1))


class Head(nn.Module):
    """Three linear layers, D to d, d to d and d to 1; what the first puts out is the feature."""

    def __init__(self, inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.first = nn.Linear(inputs, width)
        self.second = nn.Linear(width, width)
        self.third = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map [B, D] to predictions [B] and features [B, d]."""
        feature = F.relu(self.first(self.dropout(x)))
        return self.third(F.relu(self.second(feature))).squeeze(1), feature
