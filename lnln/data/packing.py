"""Sequences of like length together, so that little of what is computed is padding.

Groups are made inside a batch, per modality. Which clips share a training step stays a matter of
chance: batches drawn by length would be a tenth faster still, but change what is learnt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

PADDING = 1 / 16  # most rows of padding in one group, as a share of the rows there are


class Group(NamedTuple):
    """Some sequences of a batch, without the padding they do not need.

    Attributes
    ----------
    clips : Tensor, [G] int64
        Which sequences of the batch.
    values : Tensor, [G, N, ...]
        Their rows.
    mask : Tensor, [G, N] bool
        False for padding, which stands behind the rows.
    full : bool
        There is no padding.
    places : Tensor, [G, N] int64, or None
        Where each row stood; None where they stand as they stood.
    """

    clips: Tensor
    values: Tensor
    mask: Tensor
    full: bool
    places: Tensor | None


def in_groups(values: Tensor, mask: Tensor) -> Iterator[Group]:
    """Split a batch of padded sequences into groups of like length.

    Rows that the mask leaves out are left behind, between other rows as well as at the end.

    Parameters
    ----------
    values : Tensor, [B, L, ...]
    mask : Tensor, [B, L] bool
    """
    numbers = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    ends = (mask * numbers).amax(1) if mask.shape[1] else mask.sum(1)
    counts, last = torch.stack([mask.sum(1), ends]).tolist()  # the one time the GPU is waited for
    places = None if counts == last else (~mask).byte().argsort(dim=1, stable=True)
    for group in split(counts):
        clips = torch.tensor(group, device=mask.device)
        longest, shortest = counts[group[0]], counts[group[-1]]
        at = None if places is None else places[clips, :longest]
        yield Group(
            clips,
            values[clips, :longest] if at is None else values[clips[:, None], at],
            mask[clips, :longest] if at is None else mask[clips[:, None], at],
            longest == shortest,
            at,
        )


def split(counts: Sequence[int], most: int | None = None) -> list[list[int]]:
    """Put sequences in groups, the longest first, each with little padding.

    Parameters
    ----------
    counts : sequence of int
        Rows of every sequence.
    most : int, optional
        Most sequences in a group.
    """
    allowed = PADDING * sum(counts)
    groups: list[list[int]] = []
    padding = 0
    for i in sorted(range(len(counts)), key=lambda i: -counts[i]):
        padding += counts[groups[-1][0]] - counts[i] if groups else 0
        if not groups or padding > allowed or len(groups[-1]) == most:
            groups.append([])
            padding = 0
        groups[-1].append(i)
    return groups
