"""MulT, the Multimodal Transformer for unaligned sequences (arXiv 1906.00295).

Shapes: B the batch, L the rows of one modality, D its features per row, W the windows of its
convolution, d the width.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from contracts.schemas import MODALITIES
from lnln.data.batches import Inputs, Layout
from lnln.layers.crossmodal import Dropouts, SequenceEncoder
from lnln.models.interface import Network, Targets, Terms
from lnln.models.mult.settings import MulTSettings
from lnln.settings import ModelSettings, Shapes


class Output(NamedTuple):
    """Predictions, [B]; the model makes no estimate of completeness."""

    prediction: Tensor
    w: None = None


class MulT(Network):
    """Every modality attends to the two others, then to itself; its last row is read.

    The variant `paper` follows the paper, `official` the network as MMSA (github.com/thuiar/MMSA)
    publishes it; `lnln.models.mult.settings.Switches` names every difference. One thing of the
    published code is in neither: it skips the convolution of a modality that is d wide already.

    Parameters
    ----------
    settings : MulTSettings
    shapes : Shapes
        Feature widths and greatest lengths.
    language : nn.Module, optional
        The language encoder, where it is trained along; published with a frozen one.
    """

    def __init__(
        self, settings: MulTSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        self.switches, width, dropout = settings.switches, settings.width, settings.dropout

        def encoder(width: int, layers: int, attention: float) -> SequenceEncoder:
            return SequenceEncoder(
                width,
                settings.heads,
                layers,
                positions=settings.switches.positions,
                dropouts=Dropouts(dropout.embedding, attention, dropout.relu, dropout.residual),
            )

        self.text_dropout = nn.Dropout(dropout.text)
        self.convolutions = nn.ModuleDict(
            {
                "text": Convolution(shapes.text_dim, width, settings.kernels.text),
                "audio": Convolution(shapes.audio_dim, width, settings.kernels.audio),
                "vision": Convolution(shapes.vision_dim, width, settings.kernels.vision),
            }
        )
        attention = {
            "text": dropout.from_text,
            "audio": dropout.from_audio,
            "vision": dropout.from_vision,
        }
        self.cross = nn.ModuleDict(
            {
                f"{target}_from_{source}": encoder(width, settings.layers, attention[source])
                for target in MODALITIES
                for source in MODALITIES
                if source != target
            }
        )
        layers = max(settings.layers, 3)
        self.within = nn.ModuleDict(
            {modality: encoder(2 * width, layers, dropout.from_text) for modality in MODALITIES}
        )
        self.hidden = nn.Linear(6 * width, 6 * width)
        self.back = nn.Linear(6 * width, 6 * width)
        self.output_dropout = nn.Dropout(dropout.output)
        self.regressor = nn.Linear(6 * width, 1)

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say what a variant reads; where padding is attended, the full length."""
        assert isinstance(settings, MulTSettings)
        full = settings.switches.padding == "attended"
        return Layout(
            shapes,
            text=text,
            length="full" if full else "longest",
            features=settings.switches.features,
        )

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from what is left of the modalities."""
        states = self.text_dropout(self.hidden_states(incomplete.text))
        inputs = incomplete._replace(text=incomplete.text._replace(values=states))

        # 1. Convolution over time (section 3.2).
        rows: dict[str, Tensor] = {}
        masks: dict[str, Tensor | None] = {}
        for modality, sequence in inputs._asdict().items():
            known = sequence.mask if self.switches.padding == "left_out" else None
            rows[modality], masks[modality] = self.convolutions[modality](sequence.values, known)

        summaries = []
        for target in MODALITIES:
            # 2. What each modality takes from the two others.
            taken = [
                self.cross[f"{target}_from_{source}"](
                    rows[target], rows[source], masks[target], masks[source]
                )
                for source in MODALITIES
                if source != target
            ]
            # 3. Both together, among themselves; the last row stands for the modality.
            states = self.within[target](torch.cat(taken, dim=-1), mask=masks[target])
            summaries.append(last(states, masks[target]))  # [B, 2 d]

        # 4. A residual block and the prediction.
        z = torch.cat(summaries, dim=1)  # [B, 6 d]
        z = z + self.back(self.output_dropout(F.relu(self.hidden(z))))
        return Output(self.regressor(z).squeeze(1))

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the mean absolute error."""
        return {"total": F.l1_loss(output.prediction, targets.label)}


class Convolution(nn.Module):
    """A convolution over time, D to d wide, without bias and without padding."""

    def __init__(self, dim: int, width: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.convolution = nn.Conv1d(dim, width, kernel, bias=False)

    def forward(self, values: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Map rows [B, L, D] to windows [B, W, d], and their mask to that of windows, [B, W].

        A window of a clip has no padding in it, except that a clip shorter than the kernel has one
        window all the same.
        """
        if mask is not None:
            values = torch.where(mask[:, :, None], values, 0)
        lacking = max(0, self.kernel - values.shape[1])
        values = F.pad(values, (0, 0, 0, lacking))
        windows: Tensor = self.convolution(values.transpose(1, 2)).transpose(1, 2)
        if mask is None:
            return windows, None
        rows = mask.sum(dim=1)
        counts = (rows - self.kernel + 1).clamp(min=1) * (rows > 0)
        places = torch.arange(windows.shape[1], device=mask.device)
        return windows, places < counts[:, None]


def last(states: Tensor, mask: Tensor | None) -> Tensor:
    """Take the last row of every clip out of [B, W, d], zeros where a clip has none, [B, d]."""
    if mask is None:
        return states[:, -1]
    counts = mask.sum(dim=1)
    clips = torch.arange(len(states), device=states.device)
    taken = states[clips, (counts - 1).clamp(min=0)]
    return torch.where(counts[:, None] > 0, taken, 0)


MODEL = MulT
