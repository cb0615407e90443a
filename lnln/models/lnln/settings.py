"""Settings of LNLN, and where its variants differ.

The defaults are those of the paper, "Towards Robust Multimodal Sentiment Analysis with Incomplete
Data" (arXiv 2409.20012).
"""

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from lnln.settings import ModelSettings, Settings

Variant = Literal["paper", "masked", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    reversal : {"before_discriminator", "after_generator"}
        Where the gradient is reversed. Directly after the generator of the proxy, the gradient of
        the sentiment into the generator is reversed as well.
    discriminated : {"proxy", "mixture"}
        What the discriminator is shown as generated: the proxy H_p or the mixture H_d.
    hyper_update : {"residual", "normalised"}
        H_hyper + ..., or LayerNorm(H_hyper) + ....
    goals : {"fixed", "learned"}
        Whether the embeddings of the complete inputs get a gradient from the losses that compare
        with them.
    padding : {"left_out", "attended"}
        Whether attention sees padding: zeros in audio and vision, BERT's states at [PAD].
    missing_rows : {"zeros", "left_out"}
        Whether a missing row of audio or vision is a row of zeros, or left out of attention.
    features : {"z_scores", "raw"}
        Audio and vision on the scale of the training split's observed rows, or as they come.
    completeness : {"tokens", "rate"}
        The target of w: the share of content tokens left, or 1 - the rate drawn for the clip.
    schedule : {"step", "epoch"}
        How often the learning rate moves.
    """

    reversal: Literal["before_discriminator", "after_generator"] = "before_discriminator"
    discriminated: Literal["proxy", "mixture"] = "proxy"
    hyper_update: Literal["residual", "normalised"] = "residual"
    goals: Literal["fixed", "learned"] = "fixed"
    padding: Literal["left_out", "attended"] = "left_out"
    missing_rows: Literal["zeros", "left_out"] = "zeros"
    features: Literal["z_scores", "raw"] = "z_scores"
    completeness: Literal["tokens", "rate"] = "tokens"
    schedule: Literal["step", "epoch"] = "step"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    # As zeros, missing rows dilute what was observed: answers shrink as the missing rate grows.
    "masked": Switches(missing_rows="left_out"),
    "official": Switches(
        reversal="after_generator",
        discriminated="mixture",
        hyper_update="normalised",
        goals="learned",
        padding="attended",
        features="raw",
        completeness="rate",
        schedule="epoch",
    ),
}


Part = Literal[
    "correction", "completeness", "proxy", "adversarial", "reconstructor", "hyper_modality"
]


class Parts(NamedTuple):
    """Which parts a network has; an ablation takes some away, with all they compute and learn.

    Attributes
    ----------
    completeness : bool
        The estimate of w. Without it w is fixed, see `FIXED_W`.
    proxy : bool
        The generator of H_p. Without it the corrected language is w H_l alone.
    discriminator : bool
        And with it the adversarial loss; there is none without a proxy.
    reconstructor : bool
        And with it the reconstruction loss.
    hyper_modality : bool
        Hyper-modality learning. Without it the fusion attends to H_a + H_v.
    """

    completeness: bool = True
    proxy: bool = True
    discriminator: bool = True
    reconstructor: bool = True
    hyper_modality: bool = True

    @property
    def correction(self) -> bool:
        """Whether language is corrected at all, or taken as it is."""
        return self.completeness or self.proxy


FIXED_W = 0.5  # where w is not estimated: as much of the proxy as of the language
ABLATIONS: dict[Part, tuple[str, ...]] = {
    "correction": ("completeness", "proxy", "discriminator"),
    "completeness": ("completeness",),
    "proxy": ("proxy", "discriminator"),
    "adversarial": ("discriminator",),
    "reconstructor": ("reconstructor",),
    "hyper_modality": ("hyper_modality",),
}


class LossWeights(Settings):
    """Weights of the four terms of the loss."""

    completeness: float = Field(default=0.9, ge=0, description="alpha, weight of L_cc")
    adversarial: float = Field(
        default=0.8, ge=0, description="beta, weight of L_adv (published: 0.6 for SIMS)"
    )
    reconstruction: float = Field(default=0.1, ge=0, description="gamma, weight of L_rec")
    prediction: float = Field(default=1.0, ge=0, description="sigma, weight of L_sp")


class LNLNSettings(ModelSettings):
    """Architecture of LNLN and the weights of its losses."""

    variant: Variant = Field(
        default="paper",
        description="paper: as the paper says; masked: as paper, but no attention to missing rows; "
        "official: as the published code does",
    )
    width: int = Field(default=128, ge=2, description="d, width of every token")
    tokens: int = Field(default=8, ge=1, description="T, tokens that stand for one modality")
    heads: int = Field(default=8, ge=1, description="attention heads")
    head_width: int = Field(default=64, ge=1, description="width of a head")
    hyper_head_width: int = Field(
        default=16, ge=1, description="width of a head in hyper-modality learning"
    )
    depth: int = Field(default=2, ge=1, description="layers of every encoder but the fusion's")
    hyper_depth: int = Field(
        default=3,
        ge=1,
        description="layers of hyper-modality learning, at most depth + 1: each has its own H_d",
    )
    fusion_depth: int = Field(
        default=4,
        ge=1,
        description="layers of the fusion (the published code: 2 for MOSI, 4 for MOSEI and SIMS)",
    )
    dropout: float = Field(
        default=0.0, ge=0.0, lt=1.0, description="dropout probability inside LNLN, not inside BERT"
    )
    loss: LossWeights = LossWeights()
    reversal: float = Field(
        default=1.0,
        ge=0,
        description="strength of the gradient reversal: what the discriminator's gradient is "
        "multiplied with on its way to the proxy, beside the sign",
    )
    ablate: tuple[Part, ...] = Field(
        default=(),
        description="parts to leave out: correction (all of the dominant modality correction), "
        "completeness (w is fixed), proxy, adversarial, reconstructor, hyper_modality",
    )

    @property
    def parts(self) -> Parts:
        """What is left of the network."""
        gone = {part for name in self.ablate for part in ABLATIONS[name]}
        return Parts(**dict.fromkeys(gone, False))

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]

    @model_validator(mode="after")
    def _every_hyper_layer_has_a_dominant_feature(self) -> Self:
        if self.hyper_depth > self.depth + 1:
            raise ValueError(
                f"hyper_depth={self.hyper_depth} needs as many dominant features, but "
                f"depth={self.depth} gives {self.depth + 1}: set hyper_depth to at most that"
            )
        return self

    @model_validator(mode="after")
    def _something_corrects(self) -> Self:
        if {"completeness", "proxy"} <= {*self.ablate} and "correction" not in self.ablate:
            raise ValueError(
                "without completeness and proxy nothing is left of the correction: put correction "
                "in their place"
            )
        return self


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = LNLNSettings
TRAINING: dict[str, Any] = {}  # how it is trained, where that is not the default
