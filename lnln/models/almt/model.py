"""ALMT: language at several scales guides what is learnt of audio and vision (arXiv 2310.05804).

Shapes: B the batch, T the tokens that stand for a modality, d their width. The blocks
are those of the published code.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs, Layout
from lnln.layers.embedding import TokenEmbedding
from lnln.layers.hyper_modality import HyperLayer
from lnln.layers.tokens import CrossEncoder, SequenceEncoder
from lnln.models.almt.settings import ALMTSettings
from lnln.models.interface import Network, Targets, Terms
from lnln.settings import ModelSettings, Shapes


class Output(NamedTuple):
    """Predictions, [B]; the model makes no estimate of completeness."""

    prediction: Tensor
    w: None = None


class ALMT(Network):
    """Sentiment from language and from a hyper-modality that language picks of the others.

    The variant `paper` follows the paper; `official` follows the published code where the two
    differ. `lnln.models.almt.settings.Switches` names every difference.

    Parameters
    ----------
    settings : ALMTSettings
    shapes : Shapes
    language : nn.Module, optional
        The language encoder, where it is trained along or reads padding.
    """

    def __init__(
        self, settings: ALMTSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        switches, tokens = settings.switches, settings.tokens
        self.schedule = switches.schedule
        self.embed_text, self.embed_audio, self.embed_vision = (
            TokenEmbedding(
                settings,
                modality,
                dim,
                length,
                tokens=tokens,
                depth=settings.embedding_depth,
                padding=switches.padding,
            )
            for modality, dim, length in (
                ("text", shapes.text_dim, shapes.text_length),
                ("audio", shapes.audio_dim, shapes.audio_length),
                ("vision", shapes.vision_dim, shapes.vision_length),
            )
        )
        self.language_encoder = SequenceEncoder(settings, tokens, settings.depth)
        self.hyper_start = nn.Parameter(torch.ones(1, tokens, settings.width))
        self.hyper_layers = nn.ModuleList(
            HyperLayer(settings, settings.hyper_head_width, switches.hyper_update)
            for _ in range(1 + settings.depth)
        )
        self.fusion = CrossEncoder(settings, tokens, settings.fusion_depth)
        self.regressor = nn.Linear(settings.width, 1)

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say what a variant reads; one that attends to padding runs the language encoder on it."""
        assert isinstance(settings, ALMTSettings)
        switches = settings.switches
        attended = switches.padding == "attended"
        return Layout(
            shapes,
            text="ids" if attended else text,
            length="full" if attended else "longest",
            features=switches.features,
        )

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from incomplete inputs.

        Raises
        ------
        ValueError
            If a sequence is too long or of the wrong width, its mask does not fit, or token ids
            come to a model without a language encoder.
        """
        # 1. Embedding: every modality in T tokens.
        text = self.embed_text(incomplete.text, self.language)  # [B, T, d]
        audio = self.embed_audio(incomplete.audio)
        vision = self.embed_vision(incomplete.vision)

        # 2. Language at every scale: H_l^1, H_l^2, ..., each [B, T, d].
        guides = self.language_encoder(text)

        # 3. Adaptive hyper-modality learning, a step for every scale.
        hyper = self.hyper_start.expand(len(text), -1, -1)
        for layer, guide in zip(self.hyper_layers, guides, strict=True):
            hyper = layer(hyper, guide, audio, vision)  # [B, T, d]

        # 4. Fusion and prediction. The last H_l stands beside the learned token as a query of
        # H_hyper, but only the token's answer is read, and no query attends to another.
        return Output(self.regressor(self.fusion.summary(hyper)).squeeze(1))

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the squared error."""
        return {"total": F.mse_loss(output.prediction, targets.label)}


MODEL = ALMT
