"""TETFN, the text enhanced transformer fusion network (Pattern Recognition, 2023).

`TETFN.forward` reads top to bottom in the order in which data meet the blocks. Shapes: B the batch,
L the rows of one modality, D its features per row, d the width.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from contracts.schemas import MODALITIES
from lnln.data.batches import Inputs, Layout, PaddedSequence
from lnln.layers.crossmodal import Dropouts, SequenceEncoder
from lnln.layers.unimodal_heads import Dropouts as HeadDropouts
from lnln.layers.unimodal_heads import Output, UnimodalHeads, Widths
from lnln.layers.unimodal_labels import UnimodalLabels
from lnln.models.labelling import LabellingNetwork
from lnln.models.tetfn.rows import greatest, last, pool
from lnln.models.tetfn.settings import TETFNSettings
from lnln.settings import ModelSettings, Shapes

OTHERS = {"text": ("audio", "vision"), "audio": ("text", "vision"), "vision": ("text", "audio")}


class RecurrentEncoder(nn.Module):
    """An LSTM over the rows of a modality, each of its states projected to d."""

    def __init__(self, inputs: int, state: int, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, state, batch_first=True)
        self.linear = nn.Linear(state, width, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        """Map [B, L, D] to [B, L, d]; a row knows those before it, so no padding behind it."""
        states, _ = self.lstm(values)
        projected: Tensor = self.linear(states)
        return projected


class TETFN(LabellingNetwork):
    """Audio and vision take from each other what language lets through.

    The variant `paper` leaves padding out and knows positions everywhere, `official` is the network
    as MMSA publishes it; `lnln.models.tetfn.settings.Switches` names every difference. The heads of
    language, audio and vision learn from labels that are generated while they learn, as Self-MM's
    do (`lnln.layers.unimodal_labels`).
    """

    def __init__(
        self, settings: TETFNSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.switches, self.alignment = settings.switches, settings.alignment
        self.rates = settings.audio_learning_rate, settings.vision_learning_rate
        width, dropout = settings.width, settings.dropout
        attention = {
            "text": dropout.from_text,
            "audio": dropout.from_audio,
            "vision": dropout.from_vision,
        }

        def encoder(
            source: str,
            layers: int = settings.layers,
            width: int = width,
            positions: Literal["sinusoidal", "none"] = self.switches.positions,
        ) -> SequenceEncoder:
            return SequenceEncoder(
                width,
                settings.heads,
                layers,
                positions=positions,
                dropouts=Dropouts(
                    dropout.embedding, attention[source], dropout.relu, dropout.residual
                ),
            )

        self.text_projection = nn.Linear(shapes.text_dim, width, bias=False)
        self.audio_encoder = RecurrentEncoder(shapes.audio_dim, settings.audio_lstm, width)
        self.vision_encoder = RecurrentEncoder(shapes.vision_dim, settings.vision_lstm, width)
        self.enhance, self.cross = nn.ModuleDict(), nn.ModuleDict()
        for target in MODALITIES:
            for source in OTHERS[target]:
                name = f"{target}_from_{source}"
                if "text" in (target, source):
                    self.cross[name] = encoder(source)
                else:
                    self.enhance[name] = encoder("text", layers=1, positions="sinusoidal")
                    self.cross[name] = encoder(source, positions="sinusoidal")
        self.within = nn.ModuleDict(
            {modality: encoder("text", width=2 * width) for modality in MODALITIES}
        )
        features = Widths(
            settings.fusion_width, settings.text_width, settings.audio_width, settings.vision_width
        )
        self.heads = UnimodalHeads(
            Widths(6 * width, width, width, width),
            features,
            HeadDropouts(
                dropout.multimodal_head, dropout.text_head, dropout.audio_head, dropout.vision_head
            ),
        )
        self.labels = UnimodalLabels(features, settings.label_bound, self.switches.distance)

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say what a variant reads; where padding is attended, the full length."""
        assert isinstance(settings, TETFNSettings)
        full = settings.switches.padding == "attended"
        return Layout(
            shapes,
            text=text,
            length="full" if full else "longest",
            features=settings.switches.features,
        )

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from what is left of a clip."""
        text = incomplete.text._replace(values=self.hidden_states(incomplete.text))
        audio, vision = incomplete.audio, incomplete.vision
        if self.switches.padding == "attended":
            text, audio, vision = (
                s._replace(mask=torch.ones_like(s.mask)) for s in (text, audio, vision)
            )
        if self.alignment == "pooled":
            audio, vision = aligned(audio, text), aligned(vision, text)

        # 1. Every modality as a sequence of width d.
        rows = {
            "text": self.text_projection(text.values),
            "audio": self.audio_encoder(audio.values),
            "vision": self.vision_encoder(vision.values),
        }
        masks: dict[str, Tensor | None] = {
            modality: sequence.mask if self.switches.padding == "left_out" else None
            for modality, sequence in zip(MODALITIES, (text, audio, vision), strict=True)
        }

        summaries = []
        for target in MODALITIES:
            # 2. What it takes from the two others.
            taken = [self.take(rows, masks, target, source) for source in OTHERS[target]]
            # 3. Both together, among themselves; the last row stands for the modality.
            states = self.within[target](torch.cat(taken, -1), mask=masks[target])
            summaries.append(last(states, masks[target]))  # [B, 2 d]

        # 4. The prediction, and those of each modality by itself.
        alone = (greatest(rows[modality], masks[modality]) for modality in MODALITIES)
        output: Output = self.heads(torch.cat(summaries, 1), *alone)
        return output

    def take(
        self, rows: dict[str, Tensor], masks: dict[str, Tensor | None], target: str, source: str
    ) -> Tensor:
        """Encode the target's rows, [B, L, d], from those of the source.

        Between audio and vision the source attends to language first.
        """
        name, given, mask = f"{target}_from_{source}", rows[source], masks[source]
        if name in self.enhance:
            given = self.enhance[name](given, rows["text"], mask, masks["text"])
        taken: Tensor = self.cross[name](rows[target], given, masks[target], mask)
        return taken


def aligned(sequence: PaddedSequence, text: PaddedSequence) -> PaddedSequence:
    """Pool a sequence to as many rows as the clip has tokens."""
    counts, tokens = sequence.mask.sum(1), text.mask.sum(1)
    values = pool(sequence.values, counts, tokens, text.mask.shape[1])
    return PaddedSequence(values, text.mask & (counts > 0)[:, None])


MODEL = TETFN
