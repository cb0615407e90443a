"""Adaptive hyper-modality learning (arXiv 2310.05804): audio and vision as language asks for them.

Shapes are written with B the batch, T tokens of a modality, d the width.
"""

from collections.abc import Callable
from typing import Literal

from torch import Tensor, nn

from lnln.layers.attention import BlockSettings, attend

Update = Literal["residual", "normalised"]


class HyperLayer(nn.Module):
    """One step of hyper-modality learning, steered by the dominant modality.

    Two attentions share the query H_d^i: one looks at audio, the other at vision.

    Parameters
    ----------
    settings : BlockSettings
    head_width : int
        e, of these two attentions.
    update : {"residual", "normalised"}
        Whether it adds to H_hyper itself, as the papers say, or to its LayerNorm, as the published
        code does.
    """

    def __init__(self, settings: BlockSettings, head_width: int, update: Update) -> None:
        super().__init__()
        width, inner = settings.width, settings.heads * head_width
        self.heads = settings.heads
        self.norm_dominant = nn.LayerNorm(width)
        self.norm_audio = nn.LayerNorm(width)
        self.norm_vision = nn.LayerNorm(width)
        self.norm_hyper: Callable[[Tensor], Tensor] = (
            nn.LayerNorm(width) if update == "normalised" else nn.Identity()
        )
        self.query = nn.Linear(width, inner, bias=False)
        self.key_audio = nn.Linear(width, inner, bias=False)
        self.key_vision = nn.Linear(width, inner, bias=False)
        self.value_audio = nn.Linear(width, inner, bias=False)
        self.value_vision = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, hyper: Tensor, dominant: Tensor, audio: Tensor, vision: Tensor) -> Tensor:
        """Map H_hyper, H_d^i, H_a and H_v, each [B, T, d], to the next H_hyper [B, T, d]."""
        query = self.query(self.norm_dominant(dominant))
        audio, vision = self.norm_audio(audio), self.norm_vision(vision)
        heard = attend(query, self.key_audio(audio), self.value_audio(audio), self.heads, None)
        seen = attend(query, self.key_vision(vision), self.value_vision(vision), self.heads, None)
        return self.norm_hyper(hyper) + self.dropout(self.out(heard + seen))
