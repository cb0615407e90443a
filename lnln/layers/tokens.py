"""Encoders with learned positions, some of which summarise a sequence in learned tokens.

Shapes are written with B the batch, N the length of a sequence, T learned tokens, d the width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.layers.attention import BlockSettings, Layer


class TokenEncoder(nn.Module):
    """Summarise a sequence in learned tokens that are put in front of it.

    Parameters
    ----------
    settings : BlockSettings
    tokens : int
        T, how many tokens are put in front, and come out.
    length : int
        Greatest length of the sequence, without the tokens.
    depth : int
        Layers.
    """

    def __init__(self, settings: BlockSettings, tokens: int, length: int, depth: int) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.zeros(1, tokens, settings.width))
        self.positions = nn.Parameter(torch.randn(1, tokens + length, settings.width))
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(depth))

    def forward(
        self, x: Tensor, mask: Tensor | None = None, places: Tensor | None = None
    ) -> Tensor:
        """Summarise sequences.

        Parameters
        ----------
        x : Tensor, [B, N, d]
        mask : Tensor, [B, N] bool, optional
            False where x is padding; None where it nowhere is, which spares attention the mask.
        places : Tensor, [B, N] int64, optional
            The position of every row in its sequence; None where they stand in order.

        Returns
        -------
        Tensor, [B, T, d]
        """
        tokens = self.tokens.shape[1]
        if places is None:
            x = x + self.positions[:, tokens : tokens + x.shape[1]]
        else:
            x = x + F.embedding(places + tokens, self.positions[0])
        first = (self.tokens + self.positions[:, :tokens]).expand(len(x), -1, -1)
        x = self.dropout(torch.cat([first, x], dim=1))  # [B, T + N, d]
        if mask is not None:
            mask = F.pad(mask, (tokens, 0), value=True)  # [B, T + N]
        *earlier, last = self.layers
        for layer in earlier:
            x = layer(x, x, mask)
        return last(x[:, :tokens], x, mask)  # nobody asks for the other outputs of the last layer


class SequenceEncoder(nn.Module):
    """Encode a sequence of fixed length, without tokens of its own."""

    def __init__(self, settings: BlockSettings, length: int, depth: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, length, settings.width))
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(depth))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map [B, N, d] to 1 + depth states [B, N, d].

        The first is the input with its positions added, the others what each layer put out.
        """
        states = [self.dropout(x + self.positions)]
        for layer in self.layers:
            states.append(layer(states[-1], states[-1]))
        return states


class CrossEncoder(nn.Module):
    """Let one sequence attend to another, both behind the same learned token."""

    def __init__(self, settings: BlockSettings, length: int, depth: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, settings.width))
        self.query_positions = nn.Parameter(torch.randn(1, 1 + length, settings.width))
        self.context_positions = nn.Parameter(torch.randn(1, 1 + length, settings.width))
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(depth))

    def forward(self, queries: Tensor, context: Tensor) -> Tensor:
        """Map queries and context, both [B, N, d], to [B, N, d].

        The token is a context row and no query: nothing attends to queries, and its output is
        left behind.
        """
        return self._attended(queries + self.query_positions[:, 1:], context)

    def summary(self, context: Tensor) -> Tensor:
        """Map context [B, N, d] to what the token makes of it as the only query, [B, d].

        It is what it would be among other queries, which it does not attend to.
        """
        query = self.token + self.query_positions[:, :1]
        return self._attended(query.expand(len(context), -1, -1), context).squeeze(1)

    def _attended(self, x: Tensor, context: Tensor) -> Tensor:
        token = self.token.expand(len(context), -1, -1)
        x = self.dropout(x)
        context = self.dropout(torch.cat([token, context], dim=1) + self.context_positions)
        for layer in self.layers:
            x = layer(x, context)
        return x
