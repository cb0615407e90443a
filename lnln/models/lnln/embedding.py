"""The embedding of LNLN: every modality of a clip in a few tokens, and no row computed twice.

Shapes: B the batch, L the rows of one modality, D its features per row, T the tokens that stand
for a modality, d their width.
"""

import torch
from torch import Tensor, nn

from lnln.data.batches import PaddedSequence
from lnln.data.packing import in_groups
from lnln.models.lnln.layers import TokenEncoder
from lnln.models.lnln.settings import LNLNSettings


class Embedding(nn.Module):
    """A modality's rows, summarised in T tokens.

    Parameters
    ----------
    settings : LNLNSettings
    modality : str
        Named in errors.
    dim : int
        D, features per row.
    length : int
        Most rows there may be.
    """

    def __init__(self, settings: LNLNSettings, modality: str, dim: int, length: int) -> None:
        super().__init__()
        self.modality, self.length = modality, length
        self.switches = settings.switches
        self.linear = nn.Linear(dim, settings.width)
        self.encoder = TokenEncoder(settings, settings.tokens, length)

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
        if self.switches.padding == "attended":  # zeros, or what BERT says at [PAD]
            return self.encoder(self.rows(sequence.values, sequence.mask, language))
        tokens, clips = [], []
        for group in in_groups(sequence.values, sequence.mask):
            rows = self.rows(group.values, group.mask, language)
            tokens.append(self.encoder(rows, None if group.full else group.mask, group.places))
            clips.append(group.clips)
        return torch.cat(tokens)[torch.cat(clips).argsort()]

    def both(
        self,
        incomplete: PaddedSequence,
        complete: PaddedSequence,
        language: nn.Module | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map incomplete and complete sequences to tokens, each [B, T, d].

        A sequence that lost nothing is embedded once. Where the goals are fixed, the tokens of the
        complete sequences have no gradient.
        """
        batch, lost = len(incomplete.values), differing(incomplete, complete)
        if self.switches.goals == "fixed":
            tokens = self(incomplete, language)
            goals = tokens.detach().clone()
            if len(lost):
                with torch.no_grad():
                    goals[lost] = self(chosen(complete, lost), language)
            return tokens, goals
        # Goals that are learned have a dropout of their own.
        if self.drops(language):
            lost = torch.arange(batch, device=lost.device)
        rest = chosen(complete, lost)
        if incomplete.values.shape[1:] == rest.values.shape[1:]:
            tokens = self(
                PaddedSequence(
                    torch.cat([incomplete.values, rest.values]),
                    torch.cat([incomplete.mask, rest.mask]),
                ),
                language,
            )
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


def differing(incomplete: PaddedSequence, complete: PaddedSequence) -> Tensor:
    """Return which clips lost something, [K] int64."""
    if incomplete.values.shape != complete.values.shape:
        return torch.arange(len(incomplete.values), device=incomplete.mask.device)
    same = (incomplete.values == complete.values).flatten(1).all(1)
    same &= (incomplete.mask == complete.mask).all(1)
    return (~same).nonzero().squeeze(1)


def chosen(sequence: PaddedSequence, clips: Tensor) -> PaddedSequence:
    """Take the given clips [K] out of a batch."""
    return PaddedSequence(sequence.values[clips], sequence.mask[clips])
