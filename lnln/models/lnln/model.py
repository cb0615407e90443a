"""LNLN, the Language-dominated Noise-resistant Learning Network (arXiv 2409.20012).

`LNLN.forward` reads top to bottom in the order of the paper. Shapes: B the batch, L the rows of
one modality, D its features per row, T the tokens that stand for a modality, d their width.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from lnln.data.batches import Inputs, Layout
from lnln.layers.hyper_modality import HyperLayer
from lnln.layers.tokens import CrossEncoder, SequenceEncoder, TokenEncoder
from lnln.models.interface import Network, Targets, Terms
from lnln.models.lnln import losses
from lnln.models.lnln.embedding import Embedding
from lnln.models.lnln.output import Output
from lnln.models.lnln.reversal import reverse_gradient
from lnln.models.lnln.settings import FIXED_W, LNLNSettings
from lnln.settings import ModelSettings, Shapes

Embedded = tuple[Tensor, Tensor, Tensor]  # language, audio and vision, each [B, T, d]


def perceptron(width: int, outputs: int) -> nn.Sequential:
    """Build the small classifier head of steps 2 and 5: halve the width, then put out."""
    return nn.Sequential(
        nn.Linear(width, width // 2), nn.LeakyReLU(0.1), nn.Linear(width // 2, outputs)
    )


class LNLN(Network):
    """Sentiment from incomplete language, audio and vision.

    The variant `paper` follows the paper; `official` follows the published code where the two
    differ, so that its checkpoints give the same outputs here; `masked` is `paper` without
    attention to missing rows. `lnln.models.lnln.settings.Switches` names every difference, `Parts`
    what an ablation leaves out.

    Parameters
    ----------
    settings : LNLNSettings
    shapes : Shapes
        Feature widths and greatest lengths.
    language : nn.Module, optional
        Encodes token ids [B, L] under a mask [B, L] into hidden states [B, L, shapes.text_dim];
        see `lnln.data.language`. Without it, text must come as hidden states.
    """

    def __init__(
        self, settings: LNLNSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.switches, self.weights, self.parts = settings.switches, settings.loss, settings.parts
        self.schedule, self.reversal = settings.switches.schedule, settings.reversal
        tokens, width, depth = settings.tokens, settings.width, settings.depth
        self.embed_text = Embedding(settings, "text", shapes.text_dim, shapes.text_length)
        self.embed_audio = Embedding(settings, "audio", shapes.audio_dim, shapes.audio_length)
        self.embed_vision = Embedding(settings, "vision", shapes.vision_dim, shapes.vision_length)
        if self.parts.completeness:
            self.completeness_encoder = TokenEncoder(settings, 1, length=tokens, depth=depth)
            self.completeness_head = perceptron(width, 1)
        if self.parts.proxy:
            self.proxy_start = nn.Parameter(torch.ones(1, tokens, width))  # h_p
            self.proxy_encoder = TokenEncoder(settings, tokens, length=3 * tokens, depth=depth)
        if self.parts.discriminator:
            self.discriminator = perceptron(width, 2)
        self.dominant_encoder = SequenceEncoder(settings, tokens, depth)
        if self.parts.hyper_modality:
            self.hyper_start = nn.Parameter(torch.ones(1, tokens, width))
            self.hyper_layers = nn.ModuleList(
                HyperLayer(settings, settings.hyper_head_width, settings.switches.hyper_update)
                for _ in range(settings.hyper_depth)
            )
        self.fusion = CrossEncoder(settings, tokens, settings.fusion_depth)
        self.regressor = nn.Linear(width, 1)
        if self.parts.reconstructor:
            self.reconstruct_audio = SequenceEncoder(settings, tokens, depth)
            self.reconstruct_vision = SequenceEncoder(settings, tokens, depth)
            self.reconstruct_text = SequenceEncoder(settings, tokens, depth)

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say what a variant reads; one that attends to padding runs the language encoder on it."""
        assert isinstance(settings, LNLNSettings)
        switches = settings.switches
        attended = switches.padding == "attended"
        return Layout(
            shapes,
            text="ids" if attended else text,
            length="full" if attended else "longest",
            missing_rows=switches.missing_rows,
            features=switches.features,
        )

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the four terms, and how often the discriminator is right.

        Raises
        ------
        ValueError
            The output is of a forward pass that saw no complete inputs, or labels do not fit it.
        """
        told = output.discriminator_logits, output.reconstructed
        if told == (None, None) and (self.parts.discriminator or self.parts.reconstructor):
            raise ValueError(
                "the losses compare with complete inputs: call model(incomplete, complete)"
            )
        completeness = (
            targets.completeness if self.switches.completeness == "tokens" else 1 - targets.rate
        )
        terms = losses.compute(output, targets.label, completeness, self.weights)
        total, *parts = terms._asdict().items()
        named = dict([total]) | {f"loss_{name}": term for name, term in parts if term is not None}
        if self.parts.discriminator:
            named["discriminator_accuracy"] = losses.discriminator_accuracy(output)
        return named

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from incomplete inputs; complete ones add what the training losses compare.

        Raises
        ------
        ValueError
            If a sequence is too long or of the wrong width, its mask does not fit, or token ids
            come to a model without a language encoder.
        """
        # 1. Embedding: every modality in T tokens.
        goals: tuple[Tensor, ...] | None = None
        compares = self.parts.discriminator or self.parts.reconstructor
        if complete is None or not compares:
            text, audio, vision = self.embed(incomplete)  # H_l, H_a, H_v, each [B, T, d]
        else:
            (text, audio, vision), goals = self.embed_both(incomplete, complete)
        batch = len(text)

        # 2. Completeness check: how much of the language is there?
        w = None
        if self.parts.completeness:
            summary = self.completeness_encoder(text).squeeze(1)  # [B, d]
            w = torch.sigmoid(self.completeness_head(summary))  # [B, 1]

        # 3. Proxy dominant feature: language as audio and vision suggest it.
        proxy = None
        if self.parts.proxy:
            proxy = self.suggest(audio, vision)  # H_p, [B, T, d]
            if self.switches.reversal == "after_generator":  # the gradient of the sentiment as well
                proxy = reverse_gradient(proxy, self.reversal)

        # 4. Corrected dominant feature: the proxy fills in for what the language lacks.
        dominant = text
        if self.parts.correction:
            share = FIXED_W if w is None else w[:, :, None]  # [B, 1, 1]
            dominant = share * text if proxy is None else (1 - share) * proxy + share * text

        # 6. Multimodal learning under the dominant feature; step 5 belongs to training, below.
        states = self.dominant_encoder(dominant)  # H_d^1, H_d^2, ..., each [B, T, d]
        if self.parts.hyper_modality:
            hyper = self.hyper_start.expand(batch, -1, -1)
            for layer, state in zip(self.hyper_layers, states, strict=False):
                hyper = layer(hyper, state, audio, vision)  # [B, T, d]
        else:
            hyper = audio + vision

        # 7. Fusion and prediction.
        fused = self.fusion(states[-1], hyper)  # [B, T, d]
        prediction = self.regressor(fused.mean(dim=1)).squeeze(1)  # [B]
        output = Output(prediction, None if w is None else w.squeeze(1))
        if goals is None:
            return output
        real_text, *real_others = goals  # of the complete inputs, each [B, T, d]

        # 5. Effectiveness discriminator: can generated language be told from real language?
        if self.parts.discriminator:
            assert proxy is not None
            generated = proxy if self.switches.discriminated == "proxy" else dominant
            if self.switches.reversal == "before_discriminator":
                generated = reverse_gradient(generated, self.reversal)
            logits = self.discriminator(torch.cat([generated, real_text]))  # [2 B, T, 2]
            output = output._replace(discriminator_logits=logits.flatten(0, 1))  # [2 B T, 2]

        # 8. Reconstruction of the complete embeddings from the incomplete ones.
        if self.parts.reconstructor:
            reconstructed = [
                self.reconstruct_audio(audio)[-1],
                self.reconstruct_vision(vision)[-1],
                self.reconstruct_text(text)[-1],
            ]
            output = output._replace(
                reconstructed=torch.cat(reconstructed, dim=1),  # [B, 3 T, d]
                targets=torch.cat([*real_others, real_text], dim=1),  # [B, 3 T, d]
            )
        return output

    def suggest(self, audio: Tensor, vision: Tensor) -> Tensor:
        """Generate H_p, language as audio and vision suggest it; all are [B, T, d]."""
        start = self.proxy_start.expand(len(audio), -1, -1)
        tokens: Tensor = self.proxy_encoder(torch.cat([start, audio, vision], dim=1))
        return tokens

    def embed(self, inputs: Inputs) -> Embedded:
        """Summarise language, audio and vision in T tokens each, [B, T, d]."""
        return (
            self.embed_text(inputs.text, self.language),
            self.embed_audio(inputs.audio),
            self.embed_vision(inputs.vision),
        )

    def embed_both(
        self, incomplete: Inputs, complete: Inputs
    ) -> tuple[Embedded, tuple[Tensor, ...]]:
        """Summarise incomplete and complete inputs, a sequence that lost nothing only once.

        Of the complete inputs language alone where nothing is reconstructed.
        """
        text, real_text = self.embed_text.both(incomplete.text, complete.text, self.language)
        if not self.parts.reconstructor:
            audio, vision = self.embed_audio(incomplete.audio), self.embed_vision(incomplete.vision)
            return (text, audio, vision), (real_text,)
        audio, real_audio = self.embed_audio.both(incomplete.audio, complete.audio)
        vision, real_vision = self.embed_vision.both(incomplete.vision, complete.vision)
        return (text, audio, vision), (real_text, real_audio, real_vision)


MODEL = LNLN
