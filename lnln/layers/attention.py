"""Pre-norm attention and feed-forward, the blocks of ALMT and LNLN.

Shapes are written with B the batch, N and M sequence lengths, d the width, h the heads and e the
width of one head.
"""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlockSettings(Protocol):
    """What the settings of a model say of its blocks."""

    @property
    def width(self) -> int: ...
    @property
    def heads(self) -> int: ...
    @property
    def head_width(self) -> int: ...
    @property
    def dropout(self) -> float: ...


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """Multi-head attention, softmax(q k^T / sqrt(e)) v, over projected sequences.

    Parameters
    ----------
    query : Tensor, [B, N, h * e]
    key, value : Tensor, [B, M, h * e]
    heads : int
        h, how many heads the last dimension holds.
    mask : Tensor, [B, M] bool, optional
        True where a key may be attended; every row needs one. None attends all of them.

    Returns
    -------
    Tensor, [B, N, h * e]
    """
    q, k, v = (
        projected.unflatten(-1, (heads, -1)).transpose(1, 2)  # [B, h, N or M, e]
        for projected in (query, key, value)
    )
    keys = None if mask is None else mask[:, None, None, :]  # the same for every head and query
    attended = F.scaled_dot_product_attention(q, k, v, attn_mask=keys)
    return attended.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Pre-norm attention with a LayerNorm of its own for queries, keys and values."""

    def __init__(self, settings: BlockSettings) -> None:
        super().__init__()
        width, inner = settings.width, settings.heads * settings.head_width
        self.heads = settings.heads
        self.norm_query = nn.LayerNorm(width)
        self.norm_key = nn.LayerNorm(width)
        self.norm_value = nn.LayerNorm(width)
        self.query = nn.Linear(width, inner, bias=False)
        self.key = nn.Linear(width, inner, bias=False)
        self.value = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, queries: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
        if queries is context:
            attended = self._among(context, mask)
        elif 2 * queries.shape[1] <= context.shape[1]:
            attended = self._by_few(queries, context, mask)
        else:
            attended = attend(
                self.query(self.norm_query(queries)),
                self.key(self.norm_key(context)),
                self.value(self.norm_value(context)),
                self.heads,
                mask,
            )
        return self.dropout(self.out(attended))  # [B, N, h * e] to [B, N, d]

    def _among(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Let a sequence [B, N, d] attend to itself, normalised once and projected in one go.

        W (gain * x + bias) = (W * gain) x + W bias: the three norms differ in gain and bias alone.
        """
        parts = (
            (self.query, self.norm_query),
            (self.key, self.norm_key),
            (self.value, self.norm_value),
        )
        weight = torch.cat([linear.weight * norm.weight for linear, norm in parts])
        bias = torch.cat([linear.weight @ norm.bias for linear, norm in parts])
        normal = F.layer_norm(x, x.shape[-1:], eps=self.norm_query.eps)
        q, k, v = F.linear(normal, weight, bias).chunk(3, dim=-1)  # each [B, N, h * e]
        return attend(q, k, v, self.heads, mask)

    def _by_few(self, queries: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
        """Let a few queries [B, N, d] attend to many rows [B, M, d] that are not projected.

        q (W_k x) = (q W_k) x and sum a (W_v x) = W_v sum a x: projecting N queries and N sums is
        less work than M keys and M values. Every head's queries stand in one row of h * N.
        """
        heads, scale = self.heads, (self.query.out_features // self.heads) ** -0.5
        by_head = (heads, -1, queries.shape[-1])
        q = self.query(self.norm_query(queries)).unflatten(-1, (heads, -1))  # [B, N, h, e]
        q = torch.einsum("bnhe,hed->bhnd", q, self.key.weight.view(by_head)).flatten(1, 2)
        sums = F.scaled_dot_product_attention(
            q[:, None],  # [B, 1, h * N, d]
            self.norm_key(context)[:, None],  # [B, 1, M, d]
            self.norm_value(context)[:, None],
            attn_mask=None if mask is None else mask[:, None, None, :],
            scale=scale,
        )
        sums = sums[:, 0].unflatten(1, (heads, -1))  # [B, h, N, d]
        return torch.einsum("bhnd,hed->bnhe", sums, self.value.weight.view(by_head)).flatten(2)


class FeedForward(nn.Module):
    """Pre-norm feed-forward block that does not widen: d -> d -> d with an exact GELU."""

    def __init__(self, settings: BlockSettings) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(settings.width)
        self.first = nn.Linear(settings.width, settings.width)
        self.second = nn.Linear(settings.width, settings.width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dropout(F.gelu(self.first(self.norm(x))))
        return self.dropout(self.second(hidden))


class Layer(nn.Module):
    """Attention and feed-forward, each inside a residual.

    Queries and context are the same sequence in self-attention and two in cross-attention.
    """

    def __init__(self, settings: BlockSettings) -> None:
        super().__init__()
        self.attention = Attention(settings)
        self.feed_forward = FeedForward(settings)

    def forward(self, queries: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        x = queries + self.attention(queries, context, mask)
        return x + self.feed_forward(x)
