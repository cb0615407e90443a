"""A modality in one vector: what a gate lets through of it, and the greatest of every channel.

Shapes: B the batch, L the rows, E the width of a row, n that of the summary.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Summary(nn.Module):
    """A bidirectional GRU, a gate per row, and the maximum over rows."""

    def __init__(self, dim: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.gru = nn.GRU(dim, width, layers, batch_first=True, bidirectional=True)
        self.gate = nn.Conv1d(2 * width, 1, kernel_size=3, padding=1)
        self.linear = nn.Linear(dim + 2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, rows: Tensor, lengths: Tensor, mask: Tensor | None) -> Tensor:
        """Map [B, L, E] to [B, n].

        Parameters
        ----------
        rows : Tensor, [B, L, E]
        lengths : Tensor, [B] int64
            Where the GRU stops.
        mask : Tensor, [B, L] bool, optional
            Rows of which the maximum is taken, all where it is not given; 0 where there are none.
        """
        packed = pack_padded_sequence(  # which takes no sequence of length 0
            rows, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(
            self.gru(packed)[0], batch_first=True, total_length=rows.shape[1]
        )  # [B, L, 2 n]
        gate = torch.sigmoid(self.gate(states.transpose(1, 2))).transpose(1, 2)  # [B, L, 1]
        told = torch.tanh(self.linear(torch.cat([rows, torch.tanh(states) * gate], dim=2)))
        if mask is None:
            greatest = told.max(dim=1).values
        else:
            greatest = told.masked_fill(~mask[:, :, None], -torch.inf).max(dim=1).values
            greatest = torch.where(mask.any(dim=1)[:, None], greatest, 0)
        dropped: Tensor = self.dropout(greatest)
        return dropped
