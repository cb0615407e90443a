"""What keeps the subspaces apart, brings the shared ones together, and makes them complete.

Shapes: B the batch, d the width. Modalities stand in the order text, vision, audio. The losses
compare clips with one another: with very few in a batch, or in a part of an accumulated one, they
say little, and of a single clip nothing.
"""

from itertools import combinations

import torch
from torch import Tensor

MOMENTS = 5  # K, the highest central moment that is compared
TINY = 1e-6  # keeps a row of zeros from being divided by 0


def difference(private: Tensor, shared: Tensor) -> Tensor:
    """Compute L_diff: how far subspaces are from being orthogonal, a scalar.

    The sum over six pairs: private and shared of each modality, and the private ones of every two
    modalities. The paper writes a squared Frobenius norm; the published code, whose weights we
    take over, divides it by d^2.

    Parameters
    ----------
    private, shared : Tensor, [3, B, d]
    """
    own, common = unit_rows(private), unit_rows(shared)
    pairs = [*zip(own, common, strict=True), *combinations(own, 2)]
    return torch.stack([(x.T @ y).square().mean() for x, y in pairs]).sum()


def unit_rows(x: Tensor) -> Tensor:
    """Subtract the batch's mean and bring every row to length 1; the length has no gradient."""
    centred = x - x.mean(dim=-2, keepdim=True)
    return centred / (torch.linalg.vector_norm(centred.detach(), dim=-1, keepdim=True) + TINY)


def similarity(shared: Tensor) -> Tensor:
    """Compute L_sim: the central moment discrepancy of two modalities, averaged, a scalar.

    Parameters
    ----------
    shared : Tensor, [3, B, d]
    """
    pairs = [moment_discrepancy(x, y) for x, y in combinations(shared, 2)]
    return torch.stack(pairs).mean()


def moment_discrepancy(x: Tensor, y: Tensor) -> Tensor:
    """Compute the central moment discrepancy (arXiv 1702.08811) of two samples, a scalar.

    The L2 norm of the difference of the means plus those of the 2nd to 5th central moments. Values
    lie in an interval 1 wide, so that nothing is divided by its width.

    Parameters
    ----------
    x, y : Tensor, [B, d]
        Between 0 and 1.
    """
    means = x.mean(dim=0), y.mean(dim=0)
    x, y = x - means[0], y - means[1]
    differences = [means[0] - means[1]]
    differences += [(x**k).mean(dim=0) - (y**k).mean(dim=0) for k in range(2, MOMENTS + 1)]
    # The gradient of this norm is 0 at 0: moments of a single clip are no reason for a NaN.
    return torch.linalg.vector_norm(torch.stack(differences), dim=1).sum()
