"""What is taken of a padded sequence: its last row, the greatest of its rows, means of groups.

Shapes: B the batch, L the rows of a sequence with its padding, D the width of a row.
"""

import torch
from torch import Tensor


def last(values: Tensor, mask: Tensor | None) -> Tensor:
    """Take the last row of every sequence, [B, L, D] to [B, D].

    Parameters
    ----------
    values : Tensor, [B, L, D]
    mask : Tensor, [B, L] bool, optional
        False for padding, which stands behind the rows; None where it is read like any row. A
        sequence without rows gives zeros.
    """
    if mask is None:
        return values[:, -1]
    counts = mask.sum(1)
    rows = values[torch.arange(len(values), device=values.device), (counts - 1).clamp(min=0)]
    return torch.where(counts[:, None] > 0, rows, 0)


def greatest(values: Tensor, mask: Tensor | None) -> Tensor:
    """Take the maximum over the rows of every sequence, [B, L, D] to [B, D]; see `last`."""
    if mask is None:
        return values.amax(1)
    most = values.masked_fill(~mask[:, :, None], -torch.inf).amax(1)
    return torch.where(mask.any(1)[:, None], most, 0)


def pool(values: Tensor, counts: Tensor, groups: Tensor, most: int) -> Tensor:
    """Average sequences over groups of neighbouring rows of equal size.

    The last row is repeated until the groups divide the rows.

    Parameters
    ----------
    values : Tensor, [B, L, D]
    counts : Tensor, [B] int64
        Rows of every sequence. One without rows gives zeros.
    groups : Tensor, [B] int64
        Groups to make of every sequence.
    most : int
        Rows to return of every sequence, zeros behind its groups.

    Returns
    -------
    Tensor, [B, most, D]
    """
    size = torch.ceil(counts / groups.clamp(min=1)).clamp(min=1)[:, None, None]
    first = torch.arange(most, device=values.device)[:, None] * size  # [B, most, 1]
    row = torch.arange(values.shape[1], device=values.device)
    final = counts[:, None, None] - 1
    share = ((row >= first) & (row < first + size) & (row < final)).to(values)
    # The last row stands at its own place and at all that are behind it.
    repeated = (first + size - torch.maximum(first, final)).clamp(min=0)
    share = torch.where(row == final, repeated.minimum(size), share) / size  # [B, most, L]
    there = torch.arange(most, device=values.device) < groups[:, None]
    return torch.where(there[:, :, None], share.to(values) @ values, 0)
