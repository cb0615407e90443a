"""What LNLN says of a batch."""

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """What `LNLN` says of a batch; the last three are None unless it saw complete inputs.

    Attributes
    ----------
    prediction : Tensor, [B]
        In the units of the training labels.
    w : Tensor, [B]
        In (0, 1), how complete the model takes the language to be.
    discriminator_logits : Tensor, [2 * B * T, 2], optional
        The first half is of generated tokens (class 1), the second of real ones (class 0).
    reconstructed, targets : Tensor, [B, 3 * T, d], optional
        Audio, vision and language tokens, in that order.
    """

    prediction: Tensor
    w: Tensor
    discriminator_logits: Tensor | None = None
    reconstructed: Tensor | None = None
    targets: Tensor | None = None
