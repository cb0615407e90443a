"""The blocks LNLN is built of: pre-norm attention, encoders, and a gradient that turns round.

Shapes are written with B the batch, N and M sequence lengths, T learned tokens, d the width,
h the heads and e the width of one head.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.models.lnln.settings import LNLNSettings


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

    def __init__(self, settings: LNLNSettings) -> None:
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

    def __init__(self, settings: LNLNSettings) -> None:
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

    def __init__(self, settings: LNLNSettings) -> None:
        super().__init__()
        self.attention = Attention(settings)
        self.feed_forward = FeedForward(settings)

    def forward(self, queries: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        x = queries + self.attention(queries, context, mask)
        return x + self.feed_forward(x)


class TokenEncoder(nn.Module):
    """Summarise a sequence in learned tokens that are put in front of it.

    Parameters
    ----------
    settings : LNLNSettings
    tokens : int
        T, how many tokens are put in front, and come out.
    length : int
        Greatest length of the sequence, without the tokens.
    """

    def __init__(self, settings: LNLNSettings, tokens: int, length: int) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.zeros(1, tokens, settings.width))
        self.positions = nn.Parameter(torch.randn(1, tokens + length, settings.width))
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.depth))

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

    def __init__(self, settings: LNLNSettings, length: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, length, settings.width))
        self.dropout = nn.Dropout(settings.dropout)
        self.layers = nn.ModuleList(Layer(settings) for _ in range(settings.depth))

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

    def __init__(self, settings: LNLNSettings, length: int, depth: int) -> None:
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
        token = self.token.expand(len(queries), -1, -1)
        x = self.dropout(queries + self.query_positions[:, 1:])
        context = self.dropout(torch.cat([token, context], dim=1) + self.context_positions)
        for layer in self.layers:
            x = layer(x, context)
        return x


class HyperLayer(nn.Module):
    """One step of hyper-modality learning, steered by the dominant feature.

    Two attentions share the query H_d^i: one looks at audio, the other at vision.
    """

    def __init__(self, settings: LNLNSettings) -> None:
        super().__init__()
        width, inner = settings.width, settings.heads * settings.hyper_head_width
        self.heads = settings.heads
        self.norm_dominant = nn.LayerNorm(width)
        self.norm_audio = nn.LayerNorm(width)
        self.norm_vision = nn.LayerNorm(width)
        # The paper adds to H_hyper itself, the published code to its LayerNorm.
        self.norm_hyper: Callable[[Tensor], Tensor] = (
            nn.LayerNorm(width) if settings.switches.hyper_update == "normalised" else nn.Identity()
        )
        self.query = nn.Linear(width, inner, bias=False)
        self.key_audio = nn.Linear(width, inner, bias=False)
        self.key_vision = nn.Linear(width, inner, bias=False)
        self.value_audio = nn.Linear(width, inner, bias=False)
        self.value_vision = nn.Linear(width, inner, bias=False)
        self.out = nn.Linear(inner, width)
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, hyper: Tensor, dominant: Tensor, audio: Tensor, vision: Tensor) -> Tensor:
        """Map H_hyper, H_d^i, H_a and H_v, each [B, T, d], to the next H_hyper [B, T, d]."""
        query = self.query(self.norm_dominant(dominant))
        audio, vision = self.norm_audio(audio), self.norm_vision(vision)
        heard = attend(query, self.key_audio(audio), self.value_audio(audio), self.heads, None)
        seen = attend(query, self.key_vision(vision), self.value_vision(vision), self.heads, None)
        return self.norm_hyper(hyper) + self.dropout(self.out(heard + seen))


class _ReverseGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * -ctx.strength, None


def reverse_gradient(x: Tensor, strength: float = 1.0) -> Tensor:
    """Pass x on unchanged, and its gradient back times minus the strength (arXiv 1409.7495)."""
    return _ReverseGradient.apply(x, strength)
