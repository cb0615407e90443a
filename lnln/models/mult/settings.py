"""Settings of MulT, and where its variants differ.

The defaults are those of MMSA (github.com/thuiar/MMSA) for MOSI.
"""

from typing import Any, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from lnln.settings import ModelSettings, Settings

Variant = Literal["paper", "official"]


class Switches(NamedTuple):
    """The points at which the variants differ.

    Attributes
    ----------
    positions : {"sinusoidal", "none"}
        Whether encoders know positions. MMSA dropped them in 2022; its figures for MOSI, MOSEI and
        SIMS are older. Without them order enters through the convolutions, through what is hidden
        of the future, and through the row that is read at the end.
    padding : {"left_out", "attended"}
        Attended: zeros up to the greatest length are rows like any other, and the prediction is
        read at the last of them.
    features : {"z_scores", "raw"}
        Audio and vision on the scale of the training split's observed rows, or as they come.
    """

    positions: Literal["sinusoidal", "none"] = "sinusoidal"
    padding: Literal["left_out", "attended"] = "left_out"
    features: Literal["z_scores", "raw"] = "z_scores"


VARIANTS: dict[Variant, Switches] = {
    "paper": Switches(),
    "official": Switches(positions="none", padding="attended", features="raw"),
}


class Kernels(Settings):
    """Rows that one step of each modality's convolution sees (the paper's code: 1)."""

    text: int = Field(default=5, ge=1, description="of language")
    audio: int = Field(default=5, ge=1, description="of audio")
    vision: int = Field(default=5, ge=1, description="of vision")


class Dropout(Settings):
    """Probabilities of dropout."""

    text: float = Field(default=0.5, ge=0, lt=1, description="of the hidden states of language")
    embedding: float = Field(default=0.2, ge=0, lt=1, description="of every encoder's inputs")
    from_text: float = Field(
        default=0.3, ge=0, lt=1, description="of attention to language, and within a modality"
    )
    from_audio: float = Field(default=0.2, ge=0, lt=1, description="of attention to audio")
    from_vision: float = Field(default=0.0, ge=0, lt=1, description="of attention to vision")
    relu: float = Field(default=0.0, ge=0, lt=1, description="of hidden units of feed-forward")
    residual: float = Field(
        default=0.0, ge=0, lt=1, description="of what attention and feed-forward add"
    )
    output: float = Field(default=0.5, ge=0, lt=1, description="of the head's hidden layer")


class MulTSettings(ModelSettings):
    """Architecture of MulT."""

    variant: Variant = Field(
        default="paper",
        description="paper: as the paper says; official: as the code of MMSA does, without "
        "positions and with padding attended",
    )
    width: int = Field(default=50, ge=2, description="d, width of every sequence")
    heads: int = Field(default=10, ge=1, description="attention heads, a divisor of the width")
    layers: int = Field(
        default=4,
        ge=1,
        description="layers of the cross-modal encoders; those within a modality have at least 3",
    )
    kernels: Kernels = Kernels()
    dropout: Dropout = Dropout()

    @property
    def switches(self) -> Switches:
        """What the variant stands for."""
        return VARIANTS[self.variant]

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(
                f"heads={self.heads} does not divide width={self.width}: set heads to a divisor"
            )
        return self


LEARNS: Literal["by_gradient", "at_once"] = "by_gradient"
SETTINGS = MulTSettings
# Rate and clipping of the paper's own code; MMSA's 2e-3 on MOSI is for steps over 128 clips. Its
# plateau schedule, which falls two epochs before training stops, and its clipping by value are not
# taken over.
TRAINING: dict[str, Any] = {"learning_rate": 1e-3, "weight_decay": 0.0, "gradient_clip": 0.8}
