"""A modality of a clip in a few tokens, with little of what is computed being padding.

Shapes: B the batch, L the rows of one modality, D its features per row, T the tokens that stand
for a modality, d their width.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from lnln.data.batches import PaddedSequence
from lnln.data.packing import in_groups
from lnln.layers.attention import BlockSettings
from lnln.layers.tokens import TokenEncoder

Padding = Literal["left_out", "attended"]


class TokenEmbedding(nn.Module):
    """A modality's rows, summarised in T tokens.

    Parameters
    ----------
    settings : BlockSettings
    modality : str
        Named in errors.
    dim : int
        D, features per row.
    length : int
        Most rows there may be.
    tokens, depth : int
        T, and the layers of the encoder.
    padding : {"left_out", "attended"}
        Whether attention sees padding: zeros in audio and vision, BERT's states at [PAD].
    """

    def __init__(
        self,
        settings: BlockSettings,
        modality: str,
        dim: int,
        length: int,
        *,
        tokens: int,
        depth: int,
        padding: Padding,
    ) -> None:
        super().__init__()
        self.modality, self.length, self.padding = modality, length, padding
        self.linear = nn.Linear(dim, settings.width)
        self.encoder = TokenEncoder(settings, tokens, length, depth)

    def forward(self, sequence: PaddedSequence, language: nn.Module | None = None) -> Tensor:
        """Map a sequence to tokens [B, T, d].

        Parameters
        ----------
        sequence : PaddedSequence
        language : nn.Module, optional
            Makes hidden states of token ids.

        Raises
        ------
        ValueError
            If the sequence is too long, a row is not D wide, the mask does not fit, or token ids
            come without a language encoder.
        """
        self.check(sequence)
        if self.padding == "attended":  # zeros, or what BERT says at [PAD]
            return self.encoder(self.rows(sequence.values, sequence.mask, language))
        tokens, clips = [], []
        for group in in_groups(sequence.values, sequence.mask):
            rows = self.rows(group.values, group.mask, language)
            tokens.append(self.encoder(rows, None if group.full else group.mask, group.places))
            clips.append(group.clips)
        return torch.cat(tokens)[torch.cat(clips).argsort()]

    def rows(self, values: Tensor, mask: Tensor, language: nn.Module | None) -> Tensor:
        """Map values, token ids [B, L] or feature rows [B, L, D], to [B, L, d]."""
        if not values.is_floating_point():
            if language is None:
                raise ValueError(
                    "text came as token ids, but this model has no language encoder: give hidden "
                    "states, or build the model with its language encoder"
                )
            values = language(values, mask)
        if values.dim() != 3 or values.shape[-1] != self.linear.in_features:
            raise ValueError(
                f"{self.modality} has the shape {list(values.shape)}, but this model was built "
                f"for [batch, rows, {self.linear.in_features}]: extract its features with the "
                "settings the model was trained with"
            )
        return self.linear(values)

    def check(self, sequence: PaddedSequence) -> None:
        """Raise a ValueError if the sequence is too long, or its mask is of another shape."""
        rows = sequence.values.shape[1]
        if rows > self.length:
            raise ValueError(
                f"{self.modality} has {rows} rows, but this model was built for at most "
                f"{self.length}: cut the sequence, or train with {self.modality}_length={rows}"
            )
        if sequence.mask.shape != sequence.values.shape[:2]:
            raise ValueError(
                f"the mask of {self.modality} has the shape {list(sequence.mask.shape)}, but its "
                f"values have {list(sequence.values.shape)}: give one bool per row"
            )
