"""Self-MM: one network for all modalities together, and a head for each alone.

The heads of language, audio and vision learn from labels that are generated while they learn
(`lnln.layers.unimodal_labels`); what counts when it predicts is the multimodal head.

Shapes: B the batch, L the rows of a modality, D its features per row.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from lnln.data.batches import Inputs, Layout, PaddedSequence
from lnln.layers.unimodal_heads import Dropouts, Output, UnimodalHeads, Widths
from lnln.layers.unimodal_labels import UnimodalLabels
from lnln.models.labelling import LabellingNetwork
from lnln.models.self_mm.settings import SelfMMSettings
from lnln.settings import ModelSettings, Shapes


class RecurrentEncoder(nn.Module):
    """A sequence in one vector: the last state of an LSTM, and a linear layer.

    Parameters
    ----------
    inputs : int
        D, features per row.
    state : int
        Width of the LSTM's state.
    width : int
        d, width of the vector.
    """

    def __init__(self, inputs: int, state: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, state, batch_first=True)
        self.linear = nn.Linear(state, width)

    def forward(self, sequence: PaddedSequence) -> Tensor:
        """Map sequences [B, L, D] to [B, d]; one without rows is read as a missing row."""
        counts = sequence.mask.sum(1).clamp(min=1).cpu()
        rows = pack_padded_sequence(sequence.values, counts, batch_first=True, enforce_sorted=False)
        _, (state, _) = self.lstm(rows)  # [1, B, state]
        encoded: Tensor = self.linear(state[0])
        return encoded


class SelfMM(LabellingNetwork):
    """Sentiment from the [CLS] vector of language and the last LSTM states of audio and vision."""

    def __init__(
        self, settings: SelfMMSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        text, audio, vision = shapes.text_dim, settings.audio_width, settings.vision_width
        self.audio_encoder = RecurrentEncoder(shapes.audio_dim, settings.audio_lstm, audio)
        self.vision_encoder = RecurrentEncoder(shapes.vision_dim, settings.vision_lstm, vision)
        self.rates = settings.audio_learning_rate, settings.vision_learning_rate
        features = Widths(settings.fusion_width, settings.text_width, audio, vision)
        self.heads = UnimodalHeads(
            Widths(text + audio + vision, text, audio, vision),
            features,
            Dropouts(0.0, settings.dropout, settings.dropout, 0.0),
        )
        self.labels = UnimodalLabels(features, settings.label_bound, settings.switches.distance)

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say what a variant reads."""
        assert isinstance(settings, SelfMMSettings)
        return Layout(shapes, text=text, features=settings.switches.features)

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from what is left of a clip."""
        text = self.hidden_states(incomplete.text)[:, 0]  # [CLS], [B, D]
        audio = self.audio_encoder(incomplete.audio)
        vision = self.vision_encoder(incomplete.vision)
        heads: Output = self.heads(torch.cat([text, audio, vision], 1), text, audio, vision)
        return heads


MODEL = SelfMM
