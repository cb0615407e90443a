"""What one modality says of the sentiment, and how much that can be relied on.

Shapes: B the batch, L the rows of a modality, D the features of a row, P the features of the rows
together, H the heads of attention.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEAST_VARIANCE = 1e-6


class Standardise(nn.Module):
    """z-scores over all clips seen in training so far; a clip that is absent is at the mean.

    Unlike batch normalisation it reads the same statistics in training and afterwards, so that a
    batch of a single clip, or of clips that are all absent, is like any other.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))

    def forward(self, x: Tensor, present: Tensor) -> Tensor:
        """Standardise features [B, P] of the clips that are present [B]."""
        if self.training and present.any():
            self._take_in(x.detach()[present])
        z = (x - self.mean) / (self.variance + LEAST_VARIANCE).sqrt()
        return torch.where(present[:, None], z, 0)

    def _take_in(self, x: Tensor) -> None:
        """Add clips to mean and variance (Chan, Golub and LeVeque, 1979)."""
        count = self.count + len(x)
        away = x.mean(dim=0) - self.mean
        squares = self.variance * self.count + ((x - x.mean(dim=0)) ** 2).sum(dim=0)
        self.variance.copy_((squares + away**2 * self.count * len(x) / count) / count)
        self.mean.add_(away * len(x) / count)
        self.count.copy_(count)


class Rows(nn.Module):
    """Rows through a hidden layer, averaged by attention, to one number; 0 before it has learned.

    H heads each weigh the rows in their own way, so that a moment may count for more than its
    share of the clip.
    """

    def __init__(self, features: int, width: int, heads: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.hidden = nn.Linear(features, width)
        self.attention = nn.Linear(width, heads, bias=False)
        self.out = nn.Linear(width * heads, 1, bias=False)
        nn.init.zeros_(self.out.weight)

    def forward(self, values: Tensor, rows: Tensor) -> Tensor:
        """Read the chosen rows [B, L] of a modality [B, L, D]; [B], 0 where none is chosen."""
        hidden = F.gelu(self.hidden(self.norm(values)))  # [B, L, width]
        scores = self.attention(hidden).masked_fill(~rows[:, :, None], -1e4)  # [B, L, H]
        weights = torch.where(rows[:, :, None], scores.softmax(dim=1), 0)
        pooled = torch.einsum("bld,blh->bhd", hidden, weights).flatten(1)
        answer: Tensor = self.out(pooled).squeeze(1)
        return answer
