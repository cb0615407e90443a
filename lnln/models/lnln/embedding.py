"""The embedding of LNLN: every modality of a clip in a few tokens, and no row computed twice.

Shapes: B the batch, L the rows of one modality, D its features per row, T the tokens that stand
for a modality, d their width.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lnln.data.packing import in_groups
from lnln.models.lnln.layers import TokenEncoder
from lnln.settings import NetworkSettings


class Sequence(NamedTuple):
    """One modality of a batch.

    Attributes
    ----------
    values : Tensor, [B, L, D] float
        Feature rows. For text either hidden states, or token ids [B, L] int64, which
        `LNLN.language` encodes. Padding is 0 ([PAD] in token ids), never NaN.
    mask : Tensor, [B, L] bool
        True for a row of the clip, also where it is missing (zeros, or [UNK]); False for padding.
        In the variant `masked` False for missing rows of audio and vision as well.
    """

    values: Tensor
    mask: Tensor


class Embedding(nn.Module):
    """A modality's rows, summarised in T tokens.

    Parameters
    ----------
    settings : NetworkSettings
    modality : str
        Named in errors.
    dim : int
        D, features per row.
    length : int
        Most rows there may be.
    """

    def __init__(self, settings: NetworkSettings, modality: str, dim: int, length: int) -> None:
        super().__init__()
        self.modality, self.length = modality, length
        self.official = settings.variant == "official"
        self.linear = nn.Linear(dim, settings.width)
        self.encoder = TokenEncoder(settings, settings.tokens, length)

    def forward(self, sequence: Sequence, language: nn.Module | None = None) -> Tensor:
        """Map a sequence to tokens [B, T, d].

        Parameters
        ----------
        sequence : Sequence
        language : nn.Module, optional
            Makes hidden states of token ids.

        Raises
        ------
        ValueError
            If the sequence is too long, a row is not D wide, the mask does not fit, or token ids
            come without a language encoder.
        """
        self.check(sequence)
        if self.official:
            # The published code attends to padding, which is zeros or what BERT says at [PAD].
            return self.encoder(self.rows(*sequence, language))
        tokens, clips = [], []
        for group in in_groups(*sequence):
            rows = self.rows(group.values, group.mask, language)
            tokens.append(self.encoder(rows, None if group.full else group.mask, group.places))
            clips.append(group.clips)
        return torch.cat(tokens)[torch.cat(clips).argsort()]

    def both(
        self, incomplete: Sequence, complete: Sequence, language: nn.Module | None = None
    ) -> tuple[Tensor, Tensor]:
        """Map incomplete and complete sequences to tokens, each [B, T, d].

        A sequence that lost nothing is embedded once. The tokens of the complete ones are a fixed
        goal, without a gradient, except in `official`.
        """
        batch, lost = len(incomplete.values), differing(incomplete, complete)
        if not self.official:
            tokens = self(incomplete, language)
            goals = tokens.detach().clone()
            if len(lost):
                with torch.no_grad():
                    goals[lost] = self(chosen(complete, lost), language)
            return tokens, goals
        # The published code moves the goals too, and draws a dropout of their own for them.
        if self.drops(language):
            lost = torch.arange(batch, device=lost.device)
        rest = chosen(complete, lost)
        if incomplete.values.shape[1:] == rest.values.shape[1:]:
            tokens = self(Sequence(*map(torch.cat, zip(incomplete, rest, strict=True))), language)
        else:  # padding is attended: other lengths are other sequences
            tokens = torch.cat([self(incomplete, language), self(rest, language)])
        where = torch.arange(batch, device=lost.device)
        where[lost] = torch.arange(batch, len(tokens), device=lost.device)
        return tokens[:batch], tokens[where]

    def rows(self, values: Tensor, mask: Tensor, language: nn.Module | None) -> Tensor:
        """Map values, token ids [B, L] or feature rows [B, L, D], to [B, L, d]."""
        if not values.is_floating_point():
            if language is None:
                raise ValueError(
                    "text came as token ids, but this model has no language encoder: give hidden "
                    "states, or build the model with LNLN(settings, shapes, language)"
                )
            values = language(values, mask)
        if values.dim() != 3 or values.shape[-1] != self.linear.in_features:
            raise ValueError(
                f"{self.modality} has the shape {list(values.shape)}, but this model was built "
                f"for [batch, rows, {self.linear.in_features}]: extract its features with the "
                "settings the model was trained with"
            )
        return self.linear(values)

    def drops(self, language: nn.Module | None) -> bool:
        """Say whether embedding the same sequence twice gives two answers."""
        modules = [*self.modules(), *([] if language is None else language.modules())]
        return any(isinstance(m, nn.Dropout) and m.training and m.p > 0 for m in modules)

    def check(self, sequence: Sequence) -> None:
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


def differing(incomplete: Sequence, complete: Sequence) -> Tensor:
    """Return which clips lost something, [K] int64."""
    if incomplete.values.shape != complete.values.shape:
        return torch.arange(len(incomplete.values), device=incomplete.mask.device)
    same = (incomplete.values == complete.values).flatten(1).all(1)
    same &= (incomplete.mask == complete.mask).all(1)
    return (~same).nonzero().squeeze(1)


def chosen(sequence: Sequence, clips: Tensor) -> Sequence:
    """Take the given clips [K] out of a batch."""
    return Sequence(sequence.values[clips], sequence.mask[clips])
