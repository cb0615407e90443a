"""What LNLN says of a batch."""

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """What `LNLN` says of a batch; the last three only where it saw complete inputs.

    What belongs to a part that was ablated is None.

    Attributes
    ----------
    prediction : Tensor, [B]
        In the units of the training labels.
    w : Tensor, [B], optional
        In (0, 1), how complete the model takes the language to be; None where it does not
        estimate it.
    discriminator_logits : Tensor, [2 * B * T, 2], optional
        The first half is of generated tokens (class 1), the second of real ones (class 0).
    reconstructed, targets : Tensor, [B, 3 * T, d], optional
        Audio, vision and language tokens, in that order.
    """

    prediction: Tensor
    w: Tensor | None
    discriminator_logits: Tensor | None = None
    reconstructed: Tensor | None = None
    targets: Tensor | None = None
