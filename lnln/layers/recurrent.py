"""Packed sequences for recurrent networks, which then take no step over padding."""

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from lnln.layers.padding import with_a_row


def pack(values: Tensor, mask: Tensor) -> PackedSequence:
    """Pack sequences for a recurrent network; a clip without rows has one missing row.

    Parameters
    ----------
    values : Tensor, [B, L, D]
    mask : Tensor, [B, L] bool
        False for padding, which stands behind the rows.
    """
    values, mask = with_a_row(values, mask)
    return pack_padded_sequence(
        values, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False
    )
