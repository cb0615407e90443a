"""The enhancement of words by what was heard and seen with them.

Shapes: B the batch, L the tokens of a sentence, M the rows of audio or vision, D the width of a
hidden state.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.data.batches import PaddedSequence
from lnln.layers.padding import with_a_row
from lnln.models.cenet.settings import Switches
from lnln.settings import Shapes


class CrossAttention(nn.Module):
    """Attention of words to the rows of a modality, which two layers transform; a single head.

    Parameters
    ----------
    dim : int
        Features of a row.
    width : int
        D.
    switches : Switches
    """

    def __init__(self, dim: int, width: int, switches: Switches) -> None:
        super().__init__()
        self.switches = switches
        self.scale = width**-0.5 if switches.scores == "divided" else 8.0
        self.first, self.second = nn.Linear(dim, width), nn.Linear(width, width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)  # a bias would move no softmax
        self.value = nn.Linear(width, width)

    def forward(self, states: Tensor, sequence: PaddedSequence) -> Tensor:
        """Map states [B, L, D] to [B, L, D], what each word picks of the sequence.

        Keys and values are linear in the rows r after the first layer, and there are more rows
        than words: q (W_k W_2 r) = (q W_k W_2) r, and a mean of W_v W_2 r is W_v W_2 of the mean.
        What is the same in every row moves no softmax. So no row is projected twice.
        """
        values, mask = with_a_row(sequence.values, sequence.mask)
        rows = F.relu(self.first(values))[:, None]  # [B, 1, M, D]
        query = self.query(states) @ self.key.weight @ self.second.weight  # [B, L, D]
        means = F.scaled_dot_product_attention(
            query[:, None],
            rows,
            rows,
            attn_mask=None if self.switches.padding == "attended" else mask[:, None, None],
            scale=self.scale,
        )
        attended: Tensor = self.value(self.second(means[:, 0]))
        return attended


class Enhancement(nn.Module):
    """H + Linear([attention to vision; attention to audio]), a shift of every hidden state."""

    def __init__(self, shapes: Shapes, switches: Switches) -> None:
        super().__init__()
        width = shapes.text_dim
        self.see = CrossAttention(shapes.vision_dim, width, switches)
        self.hear = CrossAttention(shapes.audio_dim, width, switches)
        self.join = nn.Linear(2 * width, width)

    def forward(self, states: Tensor, vision: PaddedSequence, audio: PaddedSequence) -> Tensor:
        """Map states [B, L, D] to enhanced ones, [B, L, D]."""
        seen, heard = self.see(states, vision), self.hear(states, audio)
        return states + self.join(torch.cat([seen, heard], dim=-1))
