"""The complete input of a modality, as its enhanced sequence suggests it.

Shapes: B the batch, L the greatest length, N the rows of a batch, E the channels of an enhanced
sequence, D the features of the modality.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional as F

from lnln.layers.crossmodal import Dropouts, SequenceEncoder


class Reconstruction(nn.Module):
    """An encoder as wide as the sequence is long, and a linear layer per row.

    Parameters
    ----------
    length : int
        L.
    channels, dim : int
        E and D.
    heads : int
        Heads of the encoder, at most; it takes the most that divide L and are 2 wide or wider.
    layers : int
    over : {"over_channels", "over_clips"}
        What is attended across: the channels of a clip, or, as in the published code, the clips
        that stand before it in the batch, channel by channel.
    dropouts : Dropouts
    """

    def __init__(
        self,
        length: int,
        channels: int,
        dim: int,
        *,
        heads: int,
        layers: int,
        over: Literal["over_channels", "over_clips"],
        dropouts: Dropouts,
    ) -> None:
        super().__init__()
        self.length, self.over = length, over
        self.encoder = SequenceEncoder(
            length,
            next(h for h in range(max(1, min(heads, length // 2)), 0, -1) if length % h == 0),
            layers,
            future="seen" if over == "over_channels" else "hidden",
            dropouts=dropouts,
        )
        self.linear = nn.Linear(channels, dim)

    def forward(self, enhanced: Tensor) -> Tensor:
        """Map an enhanced sequence [B, N, E], 0 where it is not to be used, to [B, N, D]."""
        rows = enhanced.shape[1]
        over_time = F.pad(enhanced.transpose(1, 2), (0, self.length - rows))  # [B, E, L]
        if self.over == "over_channels":
            encoded = self.encoder(over_time)
        else:
            encoded = self.encoder(over_time.transpose(0, 1)).transpose(0, 1)
        reconstructed: Tensor = self.linear(encoded.transpose(1, 2)[:, :rows])
        return reconstructed
