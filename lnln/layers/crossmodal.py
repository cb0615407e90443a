"""The sequence encoder of MulT (arXiv 1906.00295), in self-attention and cross-modal form.

TFR-Net and TETFN are built of it too. Shapes: B the batch, N the rows of the encoded sequence, M
those of the sequence it attends to (N in self-attention), d the width, h the heads.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Positions = Literal["none", "sinusoidal"]
Future = Literal["hidden", "seen"]


class Dropouts(NamedTuple):
    """Probabilities of dropout in a `SequenceEncoder`.

    Attributes
    ----------
    embedding : float
        Of the scaled inputs with their positions.
    attention : float
        Of attention's weights.
    relu : float
        Of the hidden units of feed-forward.
    residual : float
        Of what attention and feed-forward add.
    """

    embedding: float = 0.0
    attention: float = 0.0
    relu: float = 0.0
    residual: float = 0.0


NO_DROPOUT = Dropouts()


class Window(NamedTuple):
    """Which rows of the source every row may attend to.

    Attributes
    ----------
    seen : Tensor, [B or 1, 1, N, M] bool
        The 1 is for the heads. All of the source where nothing of it may be seen, since softmax
        needs something.
    blind : Tensor, [B or 1, 1, N, 1] bool
        True where nothing may be seen.
    """

    seen: Tensor
    blind: Tensor


class SequenceEncoder(nn.Module):
    """Pre-norm transformer over a sequence, or from one sequence to another.

    In cross-modal form every layer attends to the same source, the embedded input, through the
    layer's own first LayerNorm.

    Parameters
    ----------
    width : int
        d.
    heads : int
        h, a divisor of the width.
    layers : int
    positions : {"none", "sinusoidal"}
        Whether `sinusoids` are added to the inputs.
    future : {"hidden", "seen"}
        Hidden: row i attends to rows j <= i + |N - M| only, which is causal in self-attention.
    dropouts : Dropouts

    Raises
    ------
    ValueError
        If the heads do not divide the width.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        layers: int,
        *,
        positions: Positions = "none",
        future: Future = "hidden",
        dropouts: Dropouts = NO_DROPOUT,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(
                f"{heads} heads do not divide a width of {width}: choose a divisor as heads, or a "
                "multiple as width"
            )
        self.width, self.positions, self.future = width, positions, future
        self.dropout = nn.Dropout(dropouts.embedding)
        self.layers = nn.ModuleList(Layer(width, heads, dropouts) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        x: Tensor,
        source: Tensor | None = None,
        mask: Tensor | None = None,
        source_mask: Tensor | None = None,
    ) -> Tensor:
        """Encode sequences.

        Parameters
        ----------
        x : Tensor, [B, N, d]
        source : Tensor, [B, M, d], optional
            What is attended to; x itself where it is not given.
        mask, source_mask : Tensor, [B, N] and [B, M] bool, optional
            False for padding, which stands behind the rows. With a mask, padding is not attended,
            and N and M of the hidden future are the clip's own lengths. Without one it is attended
            like any row, and a row whose first channel is 0 is taken for padding by the positions,
            as in the published code.

        Returns
        -------
        Tensor, [B, N, d]
            At padding it means nothing.
        """
        if source is None:
            window = look(x, x, mask, mask, self.future)
        else:
            window = look(x, source, mask, source_mask, self.future)
            source = self.embed(source, source_mask)
        x = self.embed(x, mask)
        for layer in self.layers:
            x = layer(x, source, window)
        normal: Tensor = self.norm(x)
        return normal

    def embed(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Scale [B, N, d] by sqrt(d) and add the positions of what is not padding."""
        embedded = x * self.width**0.5
        if self.positions == "sinusoidal":
            real = x[..., 0] != 0 if mask is None else mask
            table = sinusoids(x.shape[1], self.width, x.device)
            embedded = embedded + torch.where(real[..., None], table, 0)
        dropped: Tensor = self.dropout(embedded)
        return dropped


class Layer(nn.Module):
    """Attention and feed-forward, each behind a LayerNorm and inside a residual."""

    def __init__(self, width: int, heads: int, dropouts: Dropouts) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropouts.attention)
        self.norm_feed_forward = nn.LayerNorm(width)
        self.first = nn.Linear(width, 4 * width)
        self.second = nn.Linear(4 * width, width)
        self.dropout_relu = nn.Dropout(dropouts.relu)
        self.dropout = nn.Dropout(dropouts.residual)
        for linear in (self.first, self.second):
            initialise(linear)

    def forward(self, x: Tensor, source: Tensor | None, window: Window | None) -> Tensor:
        """Map [B, N, d] to [B, N, d], attending to a source [B, M, d] or to x itself."""
        query = self.norm_attention(x)
        context = query if source is None else self.norm_attention(source)
        x = x + self.dropout(self.attention(query, context, window))
        hidden = self.dropout_relu(F.relu(self.first(self.norm_feed_forward(x))))
        added: Tensor = x + self.dropout(self.second(hidden))
        return added


class Attention(nn.Module):
    """Multi-head attention, its queries, keys and values projected by one matrix."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.project = nn.Linear(width, 3 * width)  # queries, keys, values
        self.out = nn.Linear(width, width)
        for linear in (self.project, self.out):
            initialise(linear)

    def forward(self, x: Tensor, source: Tensor, window: Window | None) -> Tensor:
        """Let x [B, N, d] attend to a source [B, M, d]; returns [B, N, d]."""
        width = x.shape[-1]
        if source is x:
            parts = self.project(x).chunk(3, dim=-1)
        else:
            weight, bias = self.project.weight, self.project.bias
            query = F.linear(x, weight[:width], bias[:width])
            parts = (query, *F.linear(source, weight[width:], bias[width:]).chunk(2, dim=-1))
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        attended = F.scaled_dot_product_attention(
            q,  # [B, h, N, d / h]
            k,  # [B, h, M, d / h]
            v,
            attn_mask=None if window is None else window.seen,
            dropout_p=self.dropout if self.training else 0.0,
        )
        if window is not None:
            attended = attended.masked_fill(window.blind, 0)
        out: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return out


def look(
    x: Tensor, source: Tensor, mask: Tensor | None, source_mask: Tensor | None, future: Future
) -> Window | None:
    """Say which rows of a source [B, M, d] every row of x [B, N, d] may attend to; None: all."""
    seen = None
    if future == "hidden":
        lengths = [
            torch.tensor([rows.shape[1]], device=x.device) if real is None else real.sum(1)
            for rows, real in ((x, mask), (source, source_mask))
        ]
        apart = (lengths[0] - lengths[1]).abs()[:, None, None]  # [B or 1, 1, 1]
        i = torch.arange(x.shape[1], device=x.device)[:, None]
        j = torch.arange(source.shape[1], device=x.device)
        seen = j - i <= apart  # [B or 1, N, M]
    if source_mask is not None:
        keys = source_mask[:, None, :].expand(-1, x.shape[1], -1)
        seen = keys if seen is None else seen & keys
    if seen is None:
        return None
    blind = ~seen.any(dim=-1, keepdim=True)
    return Window((seen | blind)[:, None], blind[:, None])


def sinusoids(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """Compute sinusoidal positions, counted from 1, [length, width].

    The first half of the width holds sin(p f_i), the second cos(p f_i), where
    f_i = 10000^(-i / (half - 1)) and i = 0 ... half - 1; an odd width has a 0 at the end.
    """
    half = width // 2
    i = torch.arange(half, device=device)
    angles = torch.arange(1, length + 1, device=device)[:, None] * 1e4 ** (-i / max(half - 1, 1))
    return F.pad(torch.cat([angles.sin(), angles.cos()], dim=1), (0, width % 2))


def initialise(linear: nn.Linear) -> None:
    """Set weights by Xavier's uniform rule, and the bias to 0."""
    nn.init.xavier_uniform_(linear.weight)
    nn.init.zeros_(linear.bias)
