"""Sequences packed for recurrent networks."""

import torch
from torch import nn

from lnln.layers.recurrent import pack


def test_padding_is_left_out() -> None:
    values, mask = torch.randn(2, 5, 3), torch.arange(5) < torch.tensor([[4], [2]])
    lstm = nn.LSTM(3, 4, batch_first=True, bidirectional=True)
    together = lstm(pack(values, mask))[1][0]
    for i, rows in enumerate((4, 2)):
        torch.testing.assert_close(together[:, i], lstm(values[i : i + 1, :rows])[1][0][:, 0])


def test_a_clip_without_rows_has_one_missing_row() -> None:
    lstm = nn.LSTM(3, 4, batch_first=True)
    missing = lstm(torch.zeros(1, 1, 3))[1][0]
    padding = torch.zeros(2, 5, 3), torch.zeros(2, 5, dtype=torch.bool)
    for values, mask in (padding, (padding[0][:, :0], padding[1][:, :0])):
        torch.testing.assert_close(lstm(pack(values, mask))[1][0], missing.expand(-1, 2, -1))
