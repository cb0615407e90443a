"""Settings of ALMT, and where its variants differ.

The defaults are the published ones for MOSI; how it is trained is what all models have as default.
"""

from typing import Any, Literal, NamedTuple

from pydantic import Field

from lnln.settings import ModelSettings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    hyper_update : {"residual", "normalised"}
        H_hyper + ..., or LayerNorm(H_hyper) + ....
    padding : {"left_out", "attended"}
        Whether attention sees padding: zeros in audio and vision, BERT's states at [PAD].
    features : {"z_scores", "raw"}
        Audio and vision on the scale of the training split's observed rows, or as they come.
    schedule : {"step", "epoch"}
        How often the learning rate moves.
    """

    hyper_update: Literal["residual", "normalised"] = "residual"
    padding: Literal["left_out", "attended"] = "left_out"
    features: Literal["z_scores", "raw"] = "z_scores"
    schedule: Literal["step", "epoch"] = "step"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    "official": Switches(
        hyper_update="normalised", padding="attended", features="raw", schedule="epoch"
    ),
}


class ALMTSettings(ModelSettings):
    """Architecture of ALMT."""

    variant: Variant = Field(
        default="paper",
        description="paper: as the paper says; official: as the published code does",
    )
    width: int = Field(default=128, ge=2, description="d, width of every token")
    tokens: int = Field(default=8, ge=1, description="T, tokens that stand for one modality")
    heads: int = Field(default=8, ge=1, description="attention heads")
    head_width: int = Field(default=64, ge=1, description="width of a head")
    hyper_head_width: int = Field(
        default=16, ge=1, description="width of a head in hyper-modality learning"
    )
    embedding_depth: int = Field(default=1, ge=1, description="layers of every embedding")
    depth: int = Field(
        default=2,
        ge=1,
        description="layers of the language encoder; hyper-modality learning has one more, a layer "
        "for every scale of language",
    )
    fusion_depth: int = Field(
        default=2, ge=1, description="layers of the fusion (published: 4 for MOSEI and SIMS)"
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="dropout probability inside ALMT, not inside BERT"
    )

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = ALMTSettings
TRAINING: dict[str, Any] = {}  # as published: AdamW, 1e-4 for all, batches of 64
