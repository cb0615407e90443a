"""How far what was reconstructed is from what was dropped."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

MOMENTS = 5.0  # weight of the moments' distance in the published code


class Generated(NamedTuple):
    """One modality of a batch, reconstructed.

    Attributes
    ----------
    reconstructed, complete : Tensor, [B, L, D]
    lost : Tensor, [B, L] bool
        Rows that were observed and dropped.
    """

    reconstructed: Tensor
    complete: Tensor
    lost: Tensor


def generation(generated: Generated, similarity: Literal["rows", "rows_and_moments"]) -> Tensor:
    """Compute the loss of one modality's reconstruction, a scalar.

    The mean of smooth L1 over the features of rows that were lost, 0 where none were; with moments
    5 times their distance is added, divided by the number of these features as well, as published.
    """
    lost = generated.lost[:, :, None].float()
    reconstructed, complete = generated.reconstructed * lost, generated.complete * lost
    count = generated.complete.shape[2] * lost.sum() + 1e-4
    distance = F.smooth_l1_loss(reconstructed, complete, reduction="sum")
    if similarity == "rows_and_moments":
        distance = distance + MOMENTS * moments_distance(
            reconstructed.flatten(0, 1), complete.flatten(0, 1)
        )
    return distance / count


def moments_distance(x: Tensor, y: Tensor, order: int = 3) -> Tensor:
    """Add up the distances of the means and central moments of [N, D] and [M, D], a scalar.

    The central moment discrepancy (arXiv 1702.08811) without division by the range of values.
    """
    means = x.mean(dim=0), y.mean(dim=0)
    x, y = x - means[0], y - means[1]
    moments = [means, *(((x**k).mean(dim=0), (y**k).mean(dim=0)) for k in range(2, order + 1))]
    # The root of 0 has no gradient.
    return torch.stack([((a - b).square().sum() + 1e-12).sqrt() for a, b in moments]).sum()
