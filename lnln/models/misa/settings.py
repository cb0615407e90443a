"""Settings of MISA, and where its variants differ.

The defaults are the published ones for MOSI. Not taken over from the published training: gradients
clipped by value, at 0.8, and a constant learning rate.
"""

from typing import Any, Literal, NamedTuple

from pydantic import Field

from lnln.settings import ModelSettings, Settings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The point at which the variants differ.

    Attributes
    ----------
    lengths : {"own", "text"}
        Rows of audio and vision that are read: all there are, or as many as the text has tokens.
        The published code does the latter, though its features are not aligned with words.
    """

    lengths: Literal["own", "text"] = "own"


VARIANTS: dict[Variant, Switches] = {"paper": Switches(), "official": Switches(lengths="text")}


class LossWeights(Settings):
    """Weights of the terms beside the task's, which has the weight 1."""

    difference: float = Field(
        default=0.1, ge=0, description="weight of L_diff (published: 0.3 for MOSEI and SIMS)"
    )
    similarity: float = Field(
        default=0.3, ge=0, description="weight of L_sim (published: 0.8 for MOSEI, 1 for SIMS)"
    )
    reconstruction: float = Field(
        default=1.0, ge=0, description="weight of L_recon (published: 0.8 for SIMS)"
    )


class MISASettings(ModelSettings):
    """Architecture of MISA and the weights of its losses."""

    variant: Variant = Field(
        default="paper",
        description="paper: all rows of audio and vision are read; official: as many as the text "
        "has tokens, as the published code does",
    )
    width: int = Field(default=128, ge=2, multiple_of=2, description="d, width of every subspace")
    dropout: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="dropout probability in the head (published: 0.5 for MOSEI, 0 for SIMS)",
    )
    loss: LossWeights = LossWeights()

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = MISASettings
TRAINING: dict[str, Any] = {"weight_decay": 0.0}
