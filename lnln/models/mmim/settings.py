"""Settings of MMIM, and where its variants differ.

The defaults are those of the published code, the same for every dataset. Not taken over: batches
of 32, weight decay inside Adam's gradient, a learning rate that falls on a plateau (before which
training ends), and on MOSEI bounds that learn from the first half of an epoch only.
"""

from typing import Any, Literal, NamedTuple

from pydantic import Field

from lnln.settings import ModelSettings, Settings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    likelihood : {"gaussian", "squared_error"}
        What a bound maximises: the log-likelihood of a normal distribution, whose log-variance is
        kept between -1 and 1 (a modality that is always absent can be foretold without error); or
        the same without the term that makes a large variance cost something, as the published code
        has it.
    covariance : {"floored", "bare"}
        Whether a small variance is added in every direction before the entropy is computed.
        Without it too few clips of a sign, or clips that are all alike, make it infinite.
    """

    likelihood: Literal["gaussian", "squared_error"] = "gaussian"
    covariance: Literal["floored", "bare"] = "floored"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    "official": Switches(likelihood="squared_error", covariance="bare"),
}


class LossWeights(Settings):
    """Weights of the terms beside the task's, which has the weight 1."""

    contrast: float = Field(
        default=0.1, ge=0, description="alpha, weight of what fusion must tell of each modality"
    )
    information: float = Field(
        default=0.1, ge=0, description="beta, weight of what modalities must tell of each other"
    )


class MMIMSettings(ModelSettings):
    """Architecture of MMIM and the weights of its losses."""

    variant: Variant = Field(
        default="paper",
        description="paper: likelihood and entropy as in the paper, finite whatever is missing; "
        "official: as the published code computes them",
    )
    state: int = Field(default=16, ge=1, description="width of the LSTMs' states, per direction")
    width: int = Field(default=16, ge=1, description="width of audio's and of vision's vector")
    fusion_width: int = Field(default=128, ge=1, description="width of the fused vector")
    entropy_width: int = Field(
        default=4, ge=1, description="dimensions in which entropy is computed"
    )
    dropout: float = Field(
        default=0.1, ge=0, lt=1, description="dropout probability before the fusion"
    )
    loss: LossWeights = LossWeights()

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = MMIMSettings
TRAINING: dict[str, Any] = {
    "learning_rate": 1e-3,
    "language_learning_rate": 5e-5,
    "gradient_clip": 1.0,
}
