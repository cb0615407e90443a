"""What two vectors tell of each other: a lower bound, and a contrastive score.

Shapes: B the batch, X and Y the widths of two vectors, E the dimensions of entropy.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lnln.models.mmim.settings import Switches

FLOOR = 1e-6  # variance added in every direction, against vectors in [-1, 1]


class Bound(nn.Module):
    """A lower bound of the mutual information of x and y: likelihood of y given x, entropy of y.

    Both parts are without the constants of a normal distribution. The projection that entropy is
    computed in stays as it was drawn, as in the published code: no pass of training moves it.

    Parameters
    ----------
    x, y : int
        Widths of the two vectors.
    entropy : int
        E, dimensions that y is projected to.
    switches : Switches
    """

    def __init__(self, x: int, y: int, entropy: int, switches: Switches) -> None:
        super().__init__()
        self.switches = switches
        self.mean = nn.Sequential(nn.Linear(x, y), nn.ReLU(), nn.Linear(y, y))
        self.log_variance = nn.Sequential(nn.Linear(x, y), nn.ReLU(), nn.Linear(y, y))
        self.projection = nn.Linear(y, entropy)

    def likelihood(self, x: Tensor, y: Tensor) -> Tensor:
        """Compute the log-likelihood of y [B, Y] given x [B, X], a scalar: lld."""
        log_variance = self.log_variance(x)
        if self.switches.likelihood == "gaussian":
            log_variance = log_variance.tanh()
        likelihood = -(self.mean(x) - y).square() / (2 * log_variance.exp())
        if self.switches.likelihood == "gaussian":
            likelihood = likelihood - log_variance / 2
        return likelihood.sum(dim=1).mean()

    def project(self, y: Tensor) -> Tensor:
        """Map y [B, Y] to the space of its entropy, [B, E], in (-1, 1)."""
        return torch.tanh(self.projection(y))

    def entropy(self, projected: Tensor, label: Tensor) -> Tensor:
        """Compute the entropy of a mixture of two normal distributions, a scalar: H.

        A quarter of the log-determinants of two covariances: of what is positive, and of what is
        negative. A label of 0 belongs to neither; a sign that does not occur adds nothing.

        Parameters
        ----------
        projected : Tensor, [N, E]
        label : Tensor, [N]
        """
        floor = FLOOR if self.switches.covariance == "floored" else 0.0
        signs = label > 0, label < 0
        return torch.stack([log_determinant(projected, of, floor) for of in signs]).sum() / 4


def log_determinant(z: Tensor, of: Tensor, floor: float) -> Tensor:
    """Compute the log-determinant of the covariance of some rows of z [N, E], a scalar.

    Parameters
    ----------
    z : Tensor, [N, E]
    of : Tensor, [N] bool
        The rows that count; without any it is 0.
    floor : float
        Added to every variance. Where it is 0, the result is infinite for fewer than E + 1 rows.
    """
    weight, count = of[:, None].to(z.dtype), of.sum()
    mean = (weight * z).sum(dim=0) / count.clamp(min=1)
    centred = weight * (z - mean)
    covariance = centred.T @ centred / count.clamp(min=1)
    floored = covariance + floor * torch.eye(len(covariance), device=z.device)
    return torch.where(count > 0, torch.logdet(floored), 0)


class Contrast(nn.Module):
    """Tells which clip's vector belongs to a fused vector (contrastive predictive coding).

    Parameters
    ----------
    x : int
        Width of a modality's vector.
    fused : int
        Width of the fused vector.
    """

    def __init__(self, x: int, fused: int) -> None:
        super().__init__()
        self.predict = nn.Linear(fused, x)

    def forward(self, x: Tensor, fused: Tensor) -> Tensor:
        """Compute the cross entropy of the pairs of a batch, a scalar.

        Scores are cosines, without a temperature.
        """
        scores = F.normalize(x, dim=1) @ F.normalize(self.predict(fused), dim=1).T  # [B, B]
        return F.cross_entropy(scores, torch.arange(len(x), device=x.device))
