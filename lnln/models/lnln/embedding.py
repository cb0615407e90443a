"""The embedding of LNLN: incomplete and complete inputs, and no row computed twice.

Shapes: B the batch, L the rows of one modality, D its features per row, T the tokens that stand
for a modality, d their width.
"""

import torch
from torch import Tensor, nn

from lnln.data.batches import PaddedSequence
from lnln.layers.embedding import TokenEmbedding
from lnln.models.lnln.settings import LNLNSettings


class Embedding(TokenEmbedding):
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
        super().__init__(
            settings,
            modality,
            dim,
            length,
            tokens=settings.tokens,
            depth=settings.depth,
            padding=settings.switches.padding,
        )
        self.goals = settings.switches.goals

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
        if self.goals == "fixed":
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

    def drops(self, language: nn.Module | None) -> bool:
        """Say whether embedding the same sequence twice gives two answers."""
        modules = [*self.modules(), *([] if language is None else language.modules())]
        return any(isinstance(m, nn.Dropout) and m.training and m.p > 0 for m in modules)


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
