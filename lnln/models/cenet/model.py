"""CENET: a BERT whose words are shifted by sound and face (DOI 10.1109/TMM.2022.3183830).

The paper works on SentiLARE and on clusters of audio and vision, which replace their features; as
in MMSA's code, this is the network around a BERT, on the features themselves.

Shapes: B the batch, L the tokens of a sentence, D the width of a hidden state.
"""

from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import Inputs, Layout, PaddedSequence
from lnln.data.language import LanguageEncoder
from lnln.data.packing import in_groups
from lnln.models.cenet.encoder import check, encode
from lnln.models.cenet.enhancement import Enhancement
from lnln.models.cenet.settings import CENETSettings
from lnln.models.interface import Network, Targets, Terms
from lnln.settings import ModelSettings, Shapes, TrainSettings

DEVIATION = 0.02  # of new weights at the start, as in BERT


class Output(NamedTuple):
    """Predictions, [B]; the model makes no estimate of completeness."""

    prediction: Tensor
    w: None = None


class CENET(Network):
    """Sentiment from the first token of sentences that are enhanced inside the language encoder.

    The encoder may be frozen: gradients pass through its layers to the enhancement. The variants'
    differences are named by `lnln.models.cenet.settings.Switches`. A clip without audio or vision
    is one row of zeros.

    Parameters
    ----------
    settings : CENETSettings
    shapes : Shapes
    language : LanguageEncoder, optional
        Frozen or trained along. Without it the network predicts nothing.

    Raises
    ------
    ValueError
        If the language encoder is not like a BERT.
    """

    def __init__(
        self, settings: CENETSettings, shapes: Shapes, language: nn.Module | None = None
    ) -> None:
        super().__init__(settings, shapes, language)
        width = shapes.text_dim
        self.enhance = Enhancement(shapes, settings.switches)
        self.head = nn.Sequential(
            nn.Dropout(settings.dropout),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Dropout(settings.dropout),
            nn.Linear(width, 1),
        )
        for parameter in (*self.enhance.parameters(), *self.head.parameters()):
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=DEVIATION)
            else:
                nn.init.zeros_(parameter)
        if isinstance(language, LanguageEncoder):
            check(language)
            if settings.switches.embeddings == "frozen":
                language.model.embeddings.requires_grad_(False)

    @classmethod
    def reads(
        cls, settings: ModelSettings, shapes: Shapes, text: Literal["states", "ids"]
    ) -> Layout:
        """Say that it reads token ids, whether the language encoder is frozen or not."""
        assert isinstance(settings, CENETSettings)
        attended = settings.switches.padding == "attended"
        return Layout(
            shapes,
            text="ids",
            length="full" if attended else "longest",
            features=settings.switches.features,
        )

    def forward(self, incomplete: Inputs, complete: Inputs | None = None) -> Output:
        """Predict from incomplete inputs.

        Raises
        ------
        ValueError
            If there is no language encoder.
        """
        return Output(self.head(self.first_states(incomplete)).squeeze(1))

    def first_states(self, inputs: Inputs) -> Tensor:
        """Encode and enhance sentences; return the states of their first tokens, [B, D].

        Sentences of like length go through the encoder together, without the padding of others.
        """
        if not isinstance(self.language, LanguageEncoder):
            raise ValueError(
                "CENET reads token ids, but has no language encoder: build it as "
                "CENET(settings, shapes, language)"
            )
        mask = inputs.text.mask.clone()
        mask[:, 0] = True  # a sentence without tokens is [PAD]
        firsts, clips = [], []
        for group in in_groups(inputs.text.values, mask):
            audio, vision = chosen(inputs.audio, group.clips), chosen(inputs.vision, group.clips)
            change = partial(self.enhance, audio=audio, vision=vision)
            attended = self.language.attended(group.values, group.mask)
            states = encode(self.language.model, group.values, attended, change)
            firsts.append(states[:, 0])
            clips.append(group.clips)
        return torch.cat(firsts)[torch.cat(clips).argsort()]

    def losses(self, output: Output, targets: Targets) -> Terms:
        """Compute the absolute error."""
        return {"total": F.l1_loss(output.prediction, targets.label)}

    def parameter_groups(self, training: TrainSettings) -> list[dict[str, Any]]:
        """Spare biases and the weights of LayerNorm from decay, but for the enhancement's."""
        enhancing = set(self.enhance.parameters())
        groups = []
        for group in super().parameter_groups(training):
            decay = [p for p in group["params"] if p.dim() > 1 or p in enhancing]
            rest = [p for p in group["params"] if p.dim() == 1 and p not in enhancing]
            groups += [group | {"params": decay}, group | {"params": rest, "weight_decay": 0.0}]
        return groups


def chosen(sequence: PaddedSequence, clips: Tensor) -> PaddedSequence:
    """Take the given clips out of a batch."""
    return PaddedSequence(sequence.values[clips], sequence.mask[clips])


MODEL = CENET
