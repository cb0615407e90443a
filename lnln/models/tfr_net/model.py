"""TFR-Net: "Transformer-based Feature Reconstruction Network for Robust Multimodal Sentiment
Analysis" (ACM Multimedia 2021, pages 4400-4407).

Shapes: B the batch, L the rows of one modality, d the width of an encoder; an enhanced row is 3 d
wide.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from contracts.schemas import MODALITIES
from lnln.data.batches import Inputs, Layout
from lnln.layers.crossmodal import Dropouts, SequenceEncoder
from lnln.models.interface import Network, Targets, Terms
from lnln.models.tfr_net.losses import Generated, generation
from lnln.models.tfr_net.reconstruction import Reconstruction
from lnln.models.tfr_net.settings import TFRNetSettings
from lnln.models.tfr_net.summary import Summary
from lnln.settings import ModelSettings, Shapes


class Output(NamedTuple):
    """What `TFRNet` says of a batch.

    Attributes
    ----------
    prediction : Tensor, [B]
    w : None
        The model makes no estimate of completeness.
    generated : dict, optional
        Reconstructions by modality, where complete inputs were given.
    """

    prediction: Tensor
    w: None = None
    generated: dict[str, Generated] | None = None


class TFRNet(Network):
    """Modalities that attend to one another, and have to tell what was dropped.

    The variant `paper` follows the paper as far as it is known, `official` the published code;
    `lnln.models.tfr_net.settings.Switches` names every difference. In both, the complete hidden
    states of language are learnt along with BERT where BERT is. Two things of the published code
    are in neither: it skips the convolution of a modality that is d wide already, and fails for a
    batch of one clip, or a clip without rows of a modality.

    Parameters
    ----------
    settings : TFRNetSettings
    shapes : Shapes
        Feature widths and greatest lengths.
    language : nn.Module, optional
        The language encoder, where it is trained along.
    """

    epochs: Tensor

    def __init__(
        self, settings: TFRNetSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.switches, self.weights = settings.switches, settings.loss
        width, dropout = settings.width, settings.dropout
        deep = max(settings.layers, 3)
        self.register_buffer("epochs", torch.zeros((), dtype=torch.int64))  # that are over

        def dropouts(attention: float) -> Dropouts:
            return Dropouts(dropout.embedding, attention, dropout.relu, dropout.residual)

        def encoder(layers: int, attention: float) -> SequenceEncoder:
            return SequenceEncoder(
                width,
                settings.heads,
                layers,
                positions="sinusoidal",
                dropouts=dropouts(attention),
            )

        dims = {m: getattr(shapes, f"{m}_dim") for m in MODALITIES}
        self.text_dropout = nn.Dropout(dropout.text)
        self.convolutions = nn.ModuleDict(
            {
                m: nn.Conv1d(
                    dims[m], width, getattr(settings.kernels, m), padding="same", bias=False
                )
                for m in MODALITIES
            }
        )
        self.within = nn.ModuleDict({m: encoder(deep, dropout.from_text) for m in MODALITIES})
        self.cross = nn.ModuleDict(
            {
                f"{target}_from_{source}": encoder(
                    settings.layers, getattr(dropout, f"from_{source}")
                )
                for target in MODALITIES
                for source in MODALITIES
                if source != target
            }
        )
        self.reconstructions = nn.ModuleDict(
            {
                m: Reconstruction(
                    getattr(shapes, f"{m}_length"),
                    3 * width,
                    dims[m],
                    heads=settings.reconstruction_heads,
                    layers=deep,
                    over=settings.switches.reconstruction,
                    dropouts=dropouts(dropout.from_text),
                )
                for m in MODALITIES
            }
        )
        widths = {m: getattr(settings.summaries, m) for m in MODALITIES}
        self.summaries = nn.ModuleDict(
            {
                m: Summary(3 * width, widths[m], settings.gru_layers, dropout.summary)
                for m in MODALITIES
            }
        )
        self.norm = nn.BatchNorm1d(sum(widths.values()))
        self.hidden = nn.Linear(sum(widths.values()), settings.classifier_width)
        self.classifier_dropout = nn.Dropout(dropout.classifier)
        self.regressor = nn.Linear(settings.classifier_width, 1)

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say what a variant reads; where padding is attended, the full length."""
        assert isinstance(settings, TFRNetSettings)
        full = settings.switches.padding == "attended"
        return Layout(
            shapes,
            text=text,
            length="full" if full else "longest",
            features=settings.switches.features,
        )

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from what is left; with complete inputs, reconstruct what was dropped."""
        # 1. Modalities in rows of one width, each enhanced by the two others.
        rows, given = self.rows(incomplete), incomplete._asdict()
        known = self.switches.padding == "left_out"
        masks = {m: given[m].mask if known else None for m in MODALITIES}
        enhanced: dict[str, Tensor] = {}  # [B, L, 3 d]
        for target in MODALITIES:
            parts = [self.within[target](rows[target], mask=masks[target])]
            for source in MODALITIES:
                if source != target:
                    cross = self.cross[f"{target}_from_{source}"]
                    parts.append(cross(rows[target], rows[source], masks[target], masks[source]))
            enhanced[target] = without_padding(torch.cat(parts, dim=2), masks[target])

        # 2. Fusion: each modality in one vector, all in one number.
        fused = torch.cat(
            [
                self.summaries[m](enhanced[m], given[m].mask.sum(dim=1), masks[m])
                for m in MODALITIES
            ],
            dim=1,
        )
        hidden = self.classifier_dropout(F.leaky_relu(self.hidden(self.normalised(fused)), 0.01))
        prediction = self.regressor(hidden).squeeze(1)  # [B]
        if complete is None:
            return Output(prediction)

        # 3. Reconstruction.
        generated = {}
        for modality, whole in complete._asdict().items():
            values = self.hidden_states(whole) if modality == "text" else whole.values
            reconstructed = self.reconstructions[modality](enhanced[modality])
            lost = whole.seen & ~given[modality].seen
            generated[modality] = Generated(reconstructed.float(), values.float(), lost)
        return Output(prediction, generated=generated)

    def rows(self, inputs: Inputs) -> dict[str, Tensor]:
        """Convolve every modality over time, to [B, L, d]."""
        states = self.text_dropout(self.hidden_states(inputs.text))
        sequences = inputs._replace(text=inputs.text._replace(values=states))
        rows: dict[str, Tensor] = {}
        for modality, (values, mask, _) in sequences._asdict().items():
            if self.switches.padding == "left_out":
                values = without_padding(values, mask)
            rows[modality] = self.convolutions[modality](values.transpose(1, 2)).transpose(1, 2)
        return rows

    def normalised(self, fused: Tensor) -> Tensor:
        """Normalise over the batch; one clip alone by what was seen of others."""
        norm = self.norm
        if self.training and len(fused) == 1:
            return F.batch_norm(
                fused, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        normalised: Tensor = norm(fused)
        return normalised

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the absolute error of the sentiment, and the losses of the reconstructions.

        In the first epoch, the sentiment alone is learnt from.
        """
        prediction = F.l1_loss(output.prediction, targets.label)
        if output.generated is None:
            return {"total": prediction}
        terms = {
            m: generation(generated, self.switches.similarity)
            for m, generated in output.generated.items()
        }
        total = torch.stack([getattr(self.weights, m) * term for m, term in terms.items()]).sum()
        named = {f"loss_generation_{m}": term for m, term in terms.items()}
        return {
            "total": prediction + (self.epochs > 0) * total,
            "loss_prediction": prediction,
        } | named

    def after_epoch(self, epoch: int) -> None:
        """Count the epochs."""
        self.epochs.fill_(epoch)


def without_padding(rows: Tensor, mask: Tensor | None) -> Tensor:
    """Set padding to 0 in [B, L, D], where it is known."""
    return rows if mask is None else torch.where(mask[:, :, None], rows, 0)


MODEL = TFRNet
