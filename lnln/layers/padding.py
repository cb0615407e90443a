"""Padding that no clip consists of alone."""

import torch
from torch import Tensor
from torch.nn import functional as F


def with_a_row(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Give every clip without rows one missing row, which is zeros like any other.

    Parameters
    ----------
    values : Tensor, [B, L, D]
        Padding is 0.
    mask : Tensor, [B, L] bool
        False for padding.

    Returns
    -------
    values : Tensor, [B, max(L, 1), D]
    mask : Tensor, [B, max(L, 1)] bool
        With a True for every clip.
    """
    if not mask.shape[1]:
        values, mask = F.pad(values, (0, 0, 0, 1)), F.pad(mask, (0, 1))
    first = mask[:, :1] | ~mask.any(dim=1, keepdim=True)
    return values, torch.cat([first, mask[:, 1:]], dim=1)
