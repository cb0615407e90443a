"""One modality alone: its rows averaged, and a small head."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def average(values: Tensor, rows: Tensor) -> Tensor:
    """Average the chosen rows of every sequence; zeros where none is chosen.

    Parameters
    ----------
    values : Tensor, [B, L, D]
    rows : Tensor, [B, L] bool

    Returns
    -------
    Tensor, [B, D]
    """
    chosen = torch.where(rows[:, :, None], values, 0)
    return chosen.sum(dim=1) / rows.sum(dim=1, keepdim=True).clamp(min=1)


def average_and_deviation(values: Tensor, rows: Tensor) -> Tensor:
    """Average the chosen rows and measure how much they vary over time, [B, 2 D]."""
    mean = average(values, rows)
    variance = average((values - mean[:, None]) ** 2, rows)
    return torch.cat([mean, (variance + 1e-6).sqrt()], dim=1)


def head(inputs: int, width: int, dropout: float) -> nn.Sequential:
    """Build a perceptron with one hidden layer and one output, [B, inputs] to [B, 1]."""
    return nn.Sequential(
        nn.LayerNorm(inputs),
        nn.Linear(inputs, width),
        nn.GELU(),
        nn.Dropout(dropout),
        nn.Linear(width, 1),
    )
